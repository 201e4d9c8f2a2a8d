"""MANIFEST.json: every file of a dataset folder with its hash, its size, its rows and seconds."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

MANIFEST = "MANIFEST.json"


def write_manifest(folder: Path) -> None:
    """Write the manifest over every other file of the folder, with what `build.json` says."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    manifest = {
        **json.loads((folder / "build.json").read_text(encoding="utf-8")),
        "files": {path.relative_to(folder).as_posix(): describe_file(path) for path in files},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def describe_file(path: Path) -> dict[str, Any]:
    """SHA-256 and bytes of a file; rows, and seconds of speech, if it is a shard."""
    entry: dict[str, Any] = {"sha256": sha256(path), "bytes": path.stat().st_size}
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as file:
            entry["rows"] = file.metadata.num_rows
            if "duration_s" in file.schema_arrow.names:
                seconds = pc.sum(file.read(["duration_s"]).column("duration_s")).as_py()
                entry["seconds"] = round(seconds or 0.0, 3)
    return entry


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file, a block at a time."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(partial(file.read, 1 << 20), b""):
            total.update(block)
    return total.hexdigest()
