"""Anybody's recordings or texts, listed in a CSV, TSV, JSON Lines or Parquet file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.corpora.base import Corpus, Dropped, Entry, Unreadable, require
from pipeline.corpora.listing import Columns, Listed, read_listing
from pipeline.emotions import OUR_LABELS, Emotion, map_label
from pipeline.records import Gender, Recording, Utterance, composed

_REQUIRED = ("text", "emotion", "speaker", "licence")
_ALSO = {
    "file": "path", "filename": "path", "file_name": "path", "filepath": "path", "audio": "path",
    "clip": "path", "wav": "path", "sex": "gender", "begin": "start", "onset": "start",
    "offset": "end", "stop": "end", "utterance_id": "id", "transcript": "text",
    "transcription": "text", "sentence": "text", "label": "emotion", "speaker_id": "speaker",
    "license": "licence",
}  # fmt: skip
"""What others call these columns."""

# A bound has Pydantic refuse text that is no Unicode, as JSON can hold it.
Name = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Row(BaseModel):
    """A row of a manifest; other columns are allowed and ignored."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    text: Annotated[str, Field(max_length=100_000)]
    emotion: Name
    speaker: Name
    licence: Name
    gender: Gender = "unknown"
    id: Name | None = None
    path: Annotated[str, Field(max_length=4096)] | None = None
    start: Seconds | None = None
    end: Seconds | None = None

    @field_validator("text", "emotion", "speaker", "licence", "id", "path", mode="before")
    @classmethod
    def _there(cls, value: Any) -> Any:
        """Nothing, where a table of numbers has none: as a name it would be a speaker `nan`."""
        return None if isinstance(value, float) and math.isnan(value) else value

    @field_validator("speaker", "licence", "gender", "id", mode="before")
    @classmethod
    def _trimmed(cls, value: Any) -> Any:
        """One name, however it is spaced and composed: else a speaker would be two."""
        return composed(value).strip() if isinstance(value, str) else value

    @field_validator("gender", mode="before")
    @classmethod
    def _said(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, str):
            return value
        word = (value or "unknown").lower()
        return {"f": "female", "m": "male"}.get(word, word)

    @field_validator("id", "path", "start", "end", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        """Nothing, where an optional field is empty: only Parquet and JSON know null."""
        return None if value == "" else value

    @field_validator("id", "speaker", "licence")
    @classmethod
    def _on_one_line(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise ValueError(f"{value!r} has control characters: remove them")
        return value

    @field_validator("id")
    @classmethod
    def _inside(cls, value: str | None) -> str | None:
        """A clip in a shard is named by its id."""
        if value is not None and (value.startswith("/") or ".." in PurePosixPath(value).parts):
            raise ValueError(f"'{value}' would lead out of a folder: ids name files")
        return value


class Manifest(Corpus):
    """Rows with `text, emotion, speaker, licence` and, where there is one, the `path` of a clip.

    `gender`, `id`, and `start` and `end` in seconds are optional. A `path` is relative to the
    manifest's folder and may not leave it; a row without one is text only.
    """

    engine: Literal["manifest"] = "manifest"
    version: ClassVar[int] = 2
    path: Path = Path("data/manifest.csv")
    """The manifest: .csv, .tsv, .jsonl or .parquet."""
    labels: dict[str, Emotion] = {}
    """Your label for each emotion, where it isn't ours already, in any case."""

    @field_validator("labels")
    @classmethod
    def _lower(cls, labels: dict[str, Emotion]) -> dict[str, Emotion]:
        """As `map_label` looks them up."""
        return {name.strip().lower(): emotion for name, emotion in labels.items()}

    def read(self) -> Iterator[Entry]:
        """List the rows in the order of the file; a bad row is `Unreadable`, with its number.

        Raises:
            CorpusMissing: the file is missing.
            BadListing: the file is no table, or lacks a column that every row needs.
        """
        path = require(self.path, "The manifest lists your recordings.", folder=False)
        labels = {**OUR_LABELS, **self.labels}
        rows = read_listing(path, Columns(Row.model_fields, _REQUIRED, _ALSO))
        for number, raw in enumerate(rows, start=1):
            yield _entry(raw, f"{path.stem}-{number:06d}", path.parent, labels)


def _entry(raw: Listed, name: str, folder: Path, labels: Mapping[str, Emotion]) -> Entry:
    if isinstance(raw, str):
        return Unreadable(name, f"row {name} {raw}")
    try:
        row = Row.model_validate(raw)
        recording = _recording(row, folder)
    except ValidationError as error:
        return Unreadable(name, f"{_called(raw, name)}: {'; '.join(map(_reason, error.errors()))}")
    except ValueError as error:
        return Unreadable(name, f"{_called(raw, name)}: {error}")
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


def _called(raw: Mapping[str, Any], name: str) -> str:
    """A row by its place in the file, and by the id that its person knows it by."""
    own = raw.get("id")
    return f"row {name} (id {shorten(own, 60)})" if isinstance(own, str) and own else f"row {name}"


def _reason(error: Any) -> str:
    """Field, value and what is wrong with it."""
    field = error["loc"][0]
    if error["type"] == "missing":
        return f"{field}: it is empty: fill it in"
    said = str(error["msg"]).removeprefix("Value error, ")
    own = error["type"] == "value_error"
    return f"{field}: {said}" if own else f"{field} {shorten(repr(error['input']), 60)}: {said}"


def _recording(row: Row, folder: Path) -> Recording | None:
    if row.path is None:
        return None
    if row.start is not None and row.end is not None and row.start >= row.end:
        raise ValueError(f"start {row.start:g} is not before end {row.end:g}")
    try:
        clip = (folder / row.path).resolve()
    except RuntimeError as error:
        raise ValueError(f"path: '{row.path}' is a link that leads to itself") from error
    if not clip.is_relative_to(folder.resolve()):
        raise ValueError(
            f"path: '{row.path}' leads out of the list's folder: move the list to a folder that "
            "holds the clips, and name them from there"
        )
    return Recording(folder / row.path, row.start, row.end)
