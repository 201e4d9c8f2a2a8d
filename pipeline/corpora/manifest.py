"""Anybody's recordings or texts, listed in a CSV, JSON Lines or Parquet file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.corpora.base import Corpus, Dropped, Entry, Unreadable, require
from pipeline.emotions import OUR_LABELS, Emotion, map_label
from pipeline.records import Gender, Recording, Utterance

_LONGEST_LINE = 100_000
"""Characters of a line, so that a file without line ends can't fill the memory."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = Annotated[float, Field(ge=0)]


class Row(BaseModel):
    """A row of a manifest; other columns are allowed and ignored."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    text: str
    emotion: Name
    speaker: Name
    licence: Name
    gender: Gender = "unknown"
    id: Name | None = None
    path: str | None = None
    start: Seconds | None = None
    end: Seconds | None = None


class Manifest(Corpus):
    """Rows with `text, emotion, speaker, licence` and, where there is one, the `path` of a clip.

    `gender`, `id`, and `start` and `end` in seconds are optional. A `path` is relative to the
    manifest's folder and may not leave it; a row without one is text only.
    """

    engine: Literal["manifest"] = "manifest"
    version: ClassVar[int] = 1
    path: Path = Path("data/manifest.csv")
    """The manifest: .csv, .tsv, .jsonl or .parquet."""
    labels: dict[str, Emotion] = {}
    """Your label for each emotion, where it isn't ours already, in lower case."""

    def read(self) -> Iterator[Entry]:
        """List the rows in the order of the file; a bad row is `Unreadable`, with its number.

        Raises:
            CorpusMissing: the file is missing.
            ValueError: the file's ending names no format that can be read.
        """
        path = require(self.path, "The manifest lists your recordings.", folder=False)
        labels = {**OUR_LABELS, **self.labels}
        for number, raw in enumerate(_rows(path), start=1):
            yield _entry(raw, f"{path.stem}-{number:06d}", path.parent, labels)


def _rows(path: Path) -> Iterator[Mapping[str, Any] | str]:
    """Rows as mappings, or the reason why a row is none."""
    match path.suffix.lower():
        case ".csv":
            yield from _delimited(path, ",")
        case ".tsv":
            yield from _delimited(path, "\t")
        case ".jsonl":
            yield from _json_lines(path)
        case ".parquet":
            wanted = set(Row.model_fields)
            table = pq.ParquetFile(path)
            columns = [name for name in table.schema_arrow.names if name in wanted]
            for batch in table.iter_batches(batch_size=256, columns=columns):
                yield from batch.to_pylist()
        case suffix:
            raise ValueError(
                f"corpus.path: '{path.name}' ends in '{suffix}': "
                "a manifest is .csv, .tsv, .jsonl or .parquet"
            )


def _delimited(path: Path, delimiter: str) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines, delimiter=delimiter):
            yield {name: value for name, value in row.items() if name and value not in ("", None)}


def _json_lines(path: Path) -> Iterator[Mapping[str, Any] | str]:
    with path.open(encoding="utf-8") as lines:
        while line := lines.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise ValueError(f"{path.name}: a line has over {_LONGEST_LINE} characters")
            if line.strip():
                yield _parse(line)


def _parse(line: str) -> Mapping[str, Any] | str:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return f"is not JSON: {error}"
    return row if isinstance(row, dict) else "is not a JSON object"


def _entry(
    raw: Mapping[str, Any] | str, name: str, folder: Path, labels: Mapping[str, Emotion]
) -> Entry:
    if isinstance(raw, str):
        return Unreadable(name, f"row {name} {raw}")
    try:
        row = Row.model_validate(raw)
        recording = _recording(row, folder)
    except ValidationError as error:
        reasons = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
        return Unreadable(name, f"row {name}: {reasons}")
    except ValueError as error:
        return Unreadable(name, f"row {name}: {error}")
    emotion = map_label(row.emotion, labels)
    if emotion is None:
        return Dropped(row.id or name, row.emotion)
    return Utterance(
        id=row.id or name,
        corpus="manifest",
        text=row.text,
        emotion=emotion,
        speaker=row.speaker,
        gender=row.gender,
        licence=row.licence,
        recording=recording,
    )


def _recording(row: Row, folder: Path) -> Recording | None:
    if row.path is None:
        return None
    if row.start is not None and row.end is not None and row.start >= row.end:
        raise ValueError(f"start {row.start:g} is not before end {row.end:g}")
    clip = (folder / row.path).resolve()
    if not clip.is_relative_to(folder.resolve()):
        raise ValueError(f"path: '{row.path}' leaves the manifest's folder")
    return Recording(folder / row.path, row.start, row.end)
