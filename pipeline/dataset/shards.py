"""Parquet shards that the Hub and `datasets` read as they are, with the Audio feature declared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.prosody import PROSODY
from pipeline.emotions import EMOTIONS
from pipeline.records import FailedRow

_ROW_GROUP = 256
"""Rows that a reader must hold at once; about 20 MB of speech."""

_TEXT, _FLOAT, _INT = pa.string(), pa.float64(), pa.int64()

_FIELDS: dict[str, pa.DataType] = {
    "take_id": _TEXT,
    "source_id": _TEXT,
    "text": _TEXT,
    "source_text": _TEXT,
    "transcript": _TEXT,
    "language": _TEXT,
    "split": _TEXT,
    "emotion": _TEXT,
    "emotion_id": _INT,
    "speaker_id": _TEXT,
    "gender": _TEXT,
    "voice": _TEXT,
    "corpus": _TEXT,
    "audio": pa.struct({"bytes": pa.binary(), "path": _TEXT}),
    "sampling_rate": _INT,
    "duration_s": _FLOAT,
    "is_synthetic": pa.bool_(),
    "synthesizer": _TEXT,
    "translator": _TEXT,
    "seed": _INT,
    "strength": _FLOAT,
    "neutral_from": _TEXT,
    "limited_db": _FLOAT,
    "hit_length_cap": pa.bool_(),
    "licence": _TEXT,
    **{name: pa.struct(dict.fromkeys(numbers, _FLOAT)) for name, numbers in PROSODY.items()},
}
_REJECTED: dict[str, pa.DataType] = {
    "reason": _TEXT,
    "score_name": _TEXT,
    "score": _FLOAT,
    "threshold": _FLOAT,
    "failed_gates": pa.list_(_TEXT),
}
_FAILURES = pa.schema(dict.fromkeys(FailedRow.__dataclass_fields__, _TEXT))


def kept_schema(score_names: Sequence[str], sampling_rate: int) -> pa.Schema:
    """Schema of kept rows, with the Hub's features in its metadata."""
    return _with_features({**_FIELDS, "scores": _scores(score_names)}, sampling_rate)


def rejects_schema(score_names: Sequence[str], sampling_rate: int) -> pa.Schema:
    """Schema of rejected rows: a kept row, and why it was rejected."""
    fields = {**_FIELDS, "scores": _scores(score_names), **_REJECTED}
    return _with_features(fields, sampling_rate)


def _scores(names: Sequence[str]) -> pa.DataType:
    # Parquet has no struct without fields; a recipe without judges gets one that is always null.
    return pa.struct(dict.fromkeys(names or ("none",), _FLOAT))


def _with_features(fields: Mapping[str, pa.DataType], sampling_rate: int) -> pa.Schema:
    features = {name: _feature(name, kind, sampling_rate) for name, kind in fields.items()}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _feature(name: str, kind: pa.DataType, sampling_rate: int) -> Any:
    """The `datasets` feature of a column, in the form that its schema metadata takes."""
    if name == "audio":
        return {"sampling_rate": sampling_rate, "_type": "Audio"}
    if name == "emotion_id":
        return {"names": list(EMOTIONS), "_type": "ClassLabel"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.name, field.type, sampling_rate) for field in kind}
    if pa.types.is_list(kind):
        return {"feature": _feature("", kind.value_type, sampling_rate), "_type": "List"}
    dtype = {_TEXT: "string", _FLOAT: "float64", _INT: "int64", pa.bool_(): "bool"}[kind]
    return {"dtype": dtype, "_type": "Value"}


class ShardWriter:
    """Writes rows in order into `<stem>-00000-of-0000N.parquet`, `shard_rows` to a file.

    The number of rows is stated beforehand, since it stands in every file's name.
    """

    def __init__(self, stem: Path, schema: pa.Schema, rows: int, shard_rows: int) -> None:
        self._stem = stem
        self._schema = schema
        self._shard_rows = shard_rows
        self._shards = -(-rows // shard_rows)
        self._shard = 0
        self._in_shard = 0
        self._pending: list[dict[str, Any]] = []
        self._file: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        if self._file:
            self._file.close()

    def write(self, row: dict[str, Any]) -> None:
        """Add a row."""
        self._pending.append(row)
        if self._in_shard + len(self._pending) == self._shard_rows:
            self._flush()
            self._next_shard()
        elif len(self._pending) == _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        if self._file is None:
            path = self._stem.with_name(
                f"{self._stem.name}-{self._shard:05d}-of-{self._shards:05d}.parquet"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            # FLAC doesn't get smaller; the other columns do.
            compression = dict.fromkeys(_leaves(self._schema), "zstd")
            compression["audio.bytes"] = "none"
            self._file = pq.ParquetWriter(path, self._schema, compression=compression)
        self._file.write_table(pa.Table.from_pylist(self._pending, schema=self._schema))
        self._in_shard += len(self._pending)
        self._pending.clear()

    def _next_shard(self) -> None:
        if self._file:
            self._file.close()
        self._file = None
        self._shard += 1
        self._in_shard = 0


def _leaves(schema: pa.Schema) -> Iterator[str]:
    """Paths of the columns as Parquet counts them."""
    for field in schema:
        if pa.types.is_struct(field.type):
            yield from (f"{field.name}.{inner.name}" for inner in field.type)
        elif pa.types.is_list(field.type):
            yield f"{field.name}.list.element"
        else:
            yield field.name


def write_failures(path: Path, failures: Sequence[FailedRow]) -> None:
    """Write `failures.parquet`; it is there, with no row, also when nothing failed."""
    rows = [asdict(failure) for failure in failures]
    pq.write_table(pa.Table.from_pylist(rows, schema=_FAILURES), path, compression="zstd")
