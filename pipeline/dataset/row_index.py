"""rows.parquet: the id and the hash of every kept row, so that two revisions can be compared.

It is a hundredth of the set, so what changed between two revisions is known without the audio of
either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.layout import DATA, ROWS
from pipeline.store import to_json

_SCHEMA = pa.schema({"take_id": pa.string(), "language": pa.string(), "sha256": pa.binary(32)})
_BATCH_ROWS = 256


def write_row_index(folder: Path) -> None:
    """Write `rows.parquet` over the kept rows of a dataset folder."""
    with pq.ParquetWriter(folder / ROWS, _SCHEMA, compression="zstd") as writer:
        for shard in indexed_shards(folder):
            batches = hashed_rows(shard, _BATCH_ROWS)
            writer.write_table(pa.Table.from_batches(batches, schema=_SCHEMA))


def indexed_shards(folder: Path) -> list[Path]:
    """The shards of a dataset folder in the order of their rows in the index."""
    return sorted((folder / DATA).glob("*/*.parquet"))


def hashed_rows(shard: Path, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of a shard as the index has them, so many in memory at once."""
    with pq.ParquetFile(shard) as file:
        for batch in file.iter_batches(batch_size=batch_rows):
            digests = pa.array([row_sha256(row) for row in batch.to_pylist()], pa.binary(32))
            columns = [batch.column("take_id"), batch.column("language"), digests]
            yield pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def row_sha256(row: dict[str, Any]) -> bytes:
    """SHA-256 of a row: its clip's bytes, and all its other fields as JSON with sorted keys."""
    audio = row["audio"]["bytes"]
    others = {**row, "audio": row["audio"]["path"]}
    return hashlib.sha256(hashlib.sha256(audio).digest() + to_json(others).encode()).digest()
