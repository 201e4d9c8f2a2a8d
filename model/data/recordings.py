"""Human recordings as rows to train and measure on, straight from a corpus of the data path.

Corpora that may not be passed on never reach a shard, so they are read where they lie.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.dataset as ds

from model.data.rows import Part, Row, Split
from model.recipe.sets import CorpusSet
from pipeline.audio import BadAudio, encode_flac, open_recording
from pipeline.corpora.base import Door, Dropped, Entry
from pipeline.corpora.manifest import Manifest
from pipeline.dataset.layout import DATA, REJECTS
from pipeline.dataset.reading import parquet_files
from pipeline.engine import digest
from pipeline.errors import InputError
from pipeline.records import Recording, Utterance

_OF_A_LIST = re.compile(r"^manifest@[0-9a-f]{12}/")


def recorded_part(data: CorpusSet, split: Split) -> list[Part]:
    """The recordings of a split, as one part; none where all of them are of another split.

    Raises:
        CorpusMissing: the corpus is not where the recipe says.
        InputError: the list of recordings, or the set whose splits they follow, can't be read.
    """
    if data.like is None and split != data.split:
        return []
    chosen = _takes_of(Path(data.like), split) if data.like else None
    entries = [one for one in _entries(data) if chosen is None or _source(one) in chosen]
    lists = None if data.like else _folders_of_lists(data)
    states = [_state(entry) for entry in entries]
    own = [lists] if lists else []  # others are named as ever, so their parts keep their keys
    key = digest(data.corpus.door.model_dump(), data.language, states, *own)
    name = f"{data.corpus.engine}:{split}"
    return [Part(name, key, lambda: _rows(entries, data, lists))]


def may_have(data: CorpusSet, split: Split) -> bool:
    """Whether any recording can be of a split: without reading what the corpus lists.

    Raises:
        InputError: the set whose splits they follow can't be read.
    """
    return bool(_takes_of(Path(data.like), split)) if data.like else split == data.split


def as_in_takes(speaker: str) -> str:
    """A speaker's name as the takes of its recordings have it, where it is of a list."""
    return _OF_A_LIST.sub("manifest/", speaker)


def _folders_of_lists(data: CorpusSet) -> str | None:
    """What tells one person's lists from another's, if any recording comes from a list.

    Their names are anybody's: two people number rows and speakers alike. Lists beside each other,
    as of a training and a test, share their speakers, and so does a list that has grown.
    """
    lists = [one for one in data.corpus.members if isinstance(one, Manifest)]
    folders = sorted({str(one.path.parent.resolve()) for one in lists})
    return digest(folders)[:12] if folders else None


def _entries(data: CorpusSet) -> list[Utterance | Dropped]:
    """What the corpus lists.

    Raises:
        InputError: an entry of it can't be read.
    """
    return [_readable(entry) for entry in data.corpus.read()]


def _readable(entry: Entry) -> Utterance | Dropped:
    if isinstance(entry, Utterance | Dropped):
        return entry
    raise InputError(f"data.sets: {entry.error}; correct or remove it")


def _takes_of(folder: Path, split: Split) -> set[str]:
    """Sources whose takes, kept or rejected, are of a split of a dataset folder."""
    data, rejects = parquet_files(folder, DATA), parquet_files(folder, REJECTS)
    kept = [shard for shard in data if shard.name.startswith(f"{split}-")]
    if not data and not rejects:
        raise InputError(f"data.sets: like: '{folder}' is no dataset folder: build it first")
    names = ["corpus", "source_id"]
    tables = [ds.dataset(kept).to_table(names)] if kept else []
    if rejects:
        tables.append(ds.dataset(rejects).to_table(names, filter=ds.field("split") == split))
    return {f"{row['corpus']}/{row['source_id']}" for table in tables for row in table.to_pylist()}


def _source(entry: Utterance | Dropped) -> str:
    """As the rows of a dataset folder name it, so that a recording and its takes are joined."""
    return f"{entry.corpus}/{entry.id}" if isinstance(entry, Utterance) else ""


def _state(entry: Utterance | Dropped) -> list[object]:
    """What changes when the recording or its label does."""
    if isinstance(entry, Dropped):
        return [entry.id, entry.label]
    about: list[object] = [_source(entry), entry.emotion, entry.speaker]
    return [*about, *_file_state(entry.recording)] if entry.recording else about


def _file_state(recording: Recording) -> list[object]:
    path = recording.path
    found = path.stat() if path.is_file() else None
    size, changed = (found.st_size, found.st_mtime_ns) if found else (None, None)
    return [str(path.absolute()), recording.start_s, recording.end_s, size, changed]


def _rows(
    entries: Sequence[Utterance | Dropped], data: CorpusSet, lists: str | None
) -> Iterator[Row]:
    for entry in entries:
        if isinstance(entry, Dropped):
            yield Row(entry.id, entry.id, entry.label, data.language, "", False, b"")
        else:
            yield _row(entry, data, lists if entry.corpus == "manifest" else None)


def _row(entry: Utterance, data: CorpusSet, lists: str | None) -> Row:
    """A recording: one of `lists` is the same utterance wherever it is listed and by what name."""
    name, corpus = _source(entry), entry.corpus
    heard = _heard(entry, data.corpus.door)
    source = name
    if lists:
        corpus = f"{corpus}@{lists}"
        source = f"{entry.corpus}@{heard.sound}" if heard.sound else name
    speaker = f"{corpus}/{entry.speaker}"
    about = (name, source, entry.emotion, data.language, speaker, False)
    return Row(*about, heard.audio, heard.unusable)


@dataclass(frozen=True)
class _Heard:
    """A recording as FLAC with a digest of its samples, or why there is none."""

    audio: bytes = b""
    sound: str | None = None
    unusable: str | None = None


def _heard(utterance: Utterance, door: Door) -> _Heard:
    if utterance.recording is None:
        return _Heard(unusable="is a text without a recording")
    try:
        clip = open_recording(utterance.recording, door)
    except BadAudio as error:
        return _Heard(unusable=str(error))
    sound = hashlib.sha256(clip.samples.tobytes()).hexdigest()[:16]
    return _Heard(encode_flac(clip.samples, clip.sampling_rate), sound)
