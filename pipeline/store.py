"""The work store: one file for each batch of each stage, named by the hash of what it was made of.

A file is written under a temporary name, on this machine's disk to the last byte, and then moved,
so existing means done and complete. It lies on any file system that fsspec knows, so that many
machines can share it.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError

_OF_THIS_MACHINE = ("file://", "local://")
"""URLs of a folder, which is written to the last byte as one that is named by its path."""


@dataclass(frozen=True)
class Store:
    """Tables by stage and key below `root`, a folder or an fsspec URL."""

    root: str

    @property
    def is_remote(self) -> bool:
        """Whether it is named by a URL, as other machines would name it too."""
        return "://" in self.root

    def has(self, stage: str, key: str) -> bool:
        """Whether the table is there, which means that it is complete."""
        fs, path = self._locate(stage, key)
        return bool(fs.exists(path))

    def read(self, stage: str, key: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The table, or some of its columns.

        Raises:
            FileNotFoundError: nothing was written under this key.
            InputError: the file is damaged, as a power cut or another program leaves it.
        """
        fs, path = self._locate(stage, key)
        with fs.open(path, "rb") as file:
            try:
                return pq.read_table(file, columns=list(columns) if columns else None)
            except (pa.ArrowException, OSError) as error:
                # What the file system can't read has a number; what pyarrow can't make out, none.
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                raise InputError(
                    f"--work: the file '{path}' is damaged: remove it, and the same command makes "
                    "it anew"
                ) from error

    def write(self, stage: str, key: str, table: pa.Table) -> None:
        """Put the table in its place, whole or not at all."""
        fs, path = self._locate(stage, key)
        fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        temporary = f"{path}.{uuid.uuid4().hex}.tmp"
        try:
            with fs.open(temporary, "wb") as file:
                pq.write_table(table, file, compression="zstd", store_schema=True)
                if not self.is_remote:
                    # A power cut else may keep the move and lose what was moved.
                    file.flush()
                    os.fsync(file.fileno())
            fs.mv(temporary, path)
        except BaseException:
            if fs.exists(temporary):
                fs.rm(temporary)
            raise

    def remove(self, stage: str, key: str) -> None:
        """Take the table out, so that it is made anew.

        Raises:
            FileNotFoundError: nothing was written under this key.
        """
        fs, path = self._locate(stage, key)
        fs.rm(path)

    def _locate(self, stage: str, key: str) -> tuple[Any, str]:
        fs, root = fsspec.core.url_to_fs(self.root)
        return fs, f"{root}/{stage}/{key[:2]}/{key}.parquet"


def open_store(place: str) -> Store:
    """The store in a folder, or at a URL that fsspec knows.

    Raises:
        InputError: it doesn't know it, or lacks the package for it.
    """
    if "://" not in place:
        return Store(str(Path(place).resolve()))
    if place.startswith(_OF_THIS_MACHINE):
        return Store(str(fsspec.core.url_to_fs(place)[1]))
    try:
        for protocol in place.partition("://")[0].split("::"):
            fsspec.get_filesystem_class(protocol)
    except (ValueError, ImportError) as error:
        raise InputError(f"--work: '{place}' can't be opened: {error}") from error
    return Store(place)


def to_json(value: object) -> str:
    """Compact JSON with sorted keys: equal values, equal bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
