"""The Arrow schemas of the work store, and records to rows and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.records import Failure, Line, Recording, Take, Tally, Utterance

_TEXT, _FLOAT, _INT = pa.string(), pa.float64(), pa.int64()

UTTERANCES = pa.schema(
    {
        "id": _TEXT,
        "corpus": _TEXT,
        "text": _TEXT,
        "emotion": _TEXT,
        "speaker": _TEXT,
        "gender": _TEXT,
        "licence": _TEXT,
        "path": _TEXT,
        "start_s": _FLOAT,
        "end_s": _FLOAT,
        "sha256": _TEXT,
    }
)
_RECORDING = ("start_s", "end_s", "sha256")
SOURCES = pa.schema(
    {
        "id": _TEXT,
        "duration_s": _FLOAT,
        "phone_count": _INT,
        "channels": _INT,
        "profile": _TEXT,
        "error": _TEXT,
    }
)
LINES = pa.schema(
    {
        "source_id": _TEXT,
        "language": _TEXT,
        "text": _TEXT,
        "translator": _TEXT,
        "hit_length_cap": pa.bool_(),
        "error": _TEXT,
    }
)
TAKES = pa.schema(
    {
        "id": _TEXT,
        "source_id": _TEXT,
        "language": _TEXT,
        "number": _INT,
        "voice": _TEXT,
        "seed": _INT,
        "strength": _FLOAT,
        "audio": pa.binary(),
        "audio_sha256": _TEXT,
        "sampling_rate": _INT,
        "duration_s": _FLOAT,
        "phone_count": _INT,
        "target": _TEXT,
        "reference": _TEXT,
        "neutral_from": _TEXT,
        "limited_db": _FLOAT,
        "hit_length_cap": pa.bool_(),
        "error": _TEXT,
    }
)


def scores_schema(names: Iterable[str], *, transcribes: bool = False) -> pa.Schema:
    """Schema of one judge's scores: NaN where it had nothing to measure, null with an error.

    One that `transcribes` has also the words that it heard, null where it did not listen.
    """
    words = {"transcript": _TEXT} if transcribes else {}
    numbers = dict.fromkeys(names, _FLOAT)
    return pa.schema({"take_id": _TEXT, **numbers, **words, "error": _TEXT})


def line_scores_schema(names: Iterable[str]) -> pa.Schema:
    """Schema of the scores of one judge of texts, which are by line."""
    return pa.schema({"source_id": _TEXT, **dict.fromkeys(names, _FLOAT), "error": _TEXT})


def table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows under a schema; a missing field is null.

    Raises:
        KeyError: a row has a field that the schema lacks.
    """
    rows = list(rows)
    for row in rows:
        unknown = set(row) - set(schema.names)
        if unknown:
            raise KeyError(f"fields {sorted(unknown)} are not in the schema {schema.names}")
    return pa.Table.from_pylist(rows, schema=schema)


def answered(
    key: str, ids: Iterable[str], answers: Iterable[Mapping[str, Any] | Failure]
) -> list[dict[str, Any]]:
    """A row for each id under `key`: what was found, or the error."""
    return [
        {key: id, **({"error": found.error} if isinstance(found, Failure) else found)}
        for id, found in zip(ids, answers, strict=True)
    ]


def tally(written: pa.Table) -> Tally:
    """Count the rows, the errors and, in a table of takes, the seconds of speech."""
    failed = written.num_rows - written.column("error").null_count
    seconds = pc.sum(written.column("duration_s")).as_py() if "audio" in written.schema.names else 0
    return Tally(written.num_rows, failed, seconds or 0.0)


def utterance_row(utterance: Utterance) -> dict[str, Any]:
    """An utterance as a row of `UTTERANCES`."""
    recording = utterance.recording
    return {
        **{name: getattr(utterance, name) for name in UTTERANCES.names[:7]},
        "path": str(recording.path) if recording else None,
        **{name: getattr(recording, name, None) for name in _RECORDING},
    }


def utterances(rows: pa.Table) -> list[Utterance]:
    """The utterances of a table of `UTTERANCES`."""
    return [_utterance(row) for row in rows.to_pylist()]


def _utterance(row: dict[str, Any]) -> Utterance:
    path, cut = row.pop("path"), {name: row.pop(name) for name in _RECORDING}
    recording = Recording(Path(path), **cut) if path is not None else None
    return Utterance(**row, recording=recording)


def lines(rows: pa.Table) -> list[Line]:
    """The lines of a table of `LINES` that have no error."""
    names = Line.__dataclass_fields__
    return [
        Line(**{name: row[name] for name in names})
        for row in rows.to_pylist()
        if row["error"] is None
    ]


def takes(rows: pa.Table) -> list[Take]:
    """The takes of a table of `TAKES` that have no error."""
    names = Take.__dataclass_fields__
    return [
        Take(**{name: row[name] for name in names})
        for row in rows.to_pylist()
        if row["error"] is None
    ]
