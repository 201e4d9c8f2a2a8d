"""MANIFEST.json: every file of a folder with its hash, its size, its rows and seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from pipeline.dataset.row_index import write_row_index
from pipeline.errors import InputError

MANIFEST = "MANIFEST.json"


class BadManifest(InputError):
    """A manifest that is missing, or that is not what m5ser writes."""


def _inside(name: str) -> str:
    """A file's name, which must stay in its folder on every operating system."""
    path = PurePosixPath(name)
    if path.is_absolute() or path.as_posix() != name or not path.parts:
        raise ValueError(f"'{name}' is no plain relative path")
    if ".." in path.parts or set(name) & set('\\:*?"<>|') or not name.isprintable():
        raise ValueError(f"'{name}' does not stay in its folder")
    return name


class Amount(BaseModel):
    """How much of something there is."""

    rows: NonNegativeInt
    seconds: Annotated[float, Field(ge=0)]


class FileEntry(BaseModel):
    """A file as the manifest has it; of a shard also what is in it."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: NonNegativeInt
    rows: NonNegativeInt | None = None
    seconds: Annotated[float, Field(ge=0)] | None = None
    emotions: dict[str, Amount] | None = None


class Manifest(BaseModel):
    """A manifest from anywhere: its file names stay in the folder, whoever wrote it."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    m5ser: str
    recipe: str
    fingerprint: str
    files: dict[Annotated[str, AfterValidator(_inside)], FileEntry]

    @property
    def total_bytes(self) -> int:
        """Size of all files."""
        return sum(entry.bytes for entry in self.files.values())

    def shards(self, part: str = "data") -> Iterator[tuple[str, FileEntry]]:
        """The shards of a part (`data`, `rejects`), in the order of their names."""
        for name, entry in sorted(self.files.items()):
            if name.startswith(f"{part}/") and name.endswith(".parquet"):
                yield name, entry


def parse_manifest(text: str | bytes) -> Manifest:
    """The manifest of a JSON text.

    Raises:
        BadManifest: with the first field that is wrong.
    """
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadManifest(f"{MANIFEST}: {field}: {first['msg']}") from wrong


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises:
        BadManifest: there is none, or it is not what m5ser writes.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BadManifest(
            f"'{folder}' has no {MANIFEST}: give the folder that `m5ser build` wrote, or write "
            "the manifest anew with `m5ser report`"
        )
    return parse_manifest(path.read_bytes())


def write_manifest(folder: Path) -> None:
    """Write the manifest over every other file of the folder, with what `build.json` says."""
    write_row_index(folder)
    facts = json.loads((folder / "build.json").read_text(encoding="utf-8"))
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    text = manifest_text(facts, folder, files)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def manifest_text(facts: dict[str, Any], folder: Path, files: list[Path]) -> str:
    """A manifest over some files of a folder, with facts before them."""
    described = {path.relative_to(folder).as_posix(): describe_file(path) for path in files}
    return json.dumps({**facts, "files": described}, indent=1, ensure_ascii=False) + "\n"


def describe_file(path: Path) -> dict[str, Any]:
    """SHA-256 and bytes of a file; of a shard rows, seconds of speech, and both by emotion."""
    entry: dict[str, Any] = {"sha256": sha256(path), "bytes": path.stat().st_size}
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as file:
            entry["rows"] = file.metadata.num_rows
            if {"duration_s", "emotion"} <= set(file.schema_arrow.names):
                entry |= _speech(file)
    return entry


def _speech(file: pq.ParquetFile) -> dict[str, Any]:
    columns = file.read(["emotion", "duration_s"])
    sums = columns.group_by("emotion").aggregate([("duration_s", "count"), ("duration_s", "sum")])
    emotions = {
        row["emotion"]: {
            "rows": row["duration_s_count"],
            "seconds": round(row["duration_s_sum"] or 0.0, 3),
        }
        for row in sums.sort_by("emotion").to_pylist()
    }
    seconds = pc.sum(columns["duration_s"]).as_py() or 0.0
    return {"seconds": round(seconds, 3), "emotions": emotions}


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file, a block at a time."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(partial(file.read, 1 << 20), b""):
            total.update(block)
    return total.hexdigest()
