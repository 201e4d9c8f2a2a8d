"""Human recordings as rows to train and measure on, straight from a corpus of the data path.

Corpora that may not be passed on never reach a shard, so they are read where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.dataset as ds

from model.recipe import CorpusSet
from model.rows import Part, Row, Split
from pipeline.audio import BadAudio, encode_flac, open_recording
from pipeline.corpora.base import Door, Dropped, Entry
from pipeline.dataset.reading import parquet_files
from pipeline.engine import digest
from pipeline.errors import InputError
from pipeline.records import Recording, Utterance


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
    states = [_state(entry) for entry in entries]
    key = digest(data.corpus.door.model_dump(), data.language, states)
    name = f"{data.corpus.engine}:{split}"
    return [Part(name, key, lambda: _rows(entries, data.language, data.corpus.door))]


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
    kept = [shard for shard in parquet_files(folder, "data") if shard.name.startswith(f"{split}-")]
    rejects = parquet_files(folder, "rejects")
    if not kept and not rejects:
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


def _rows(entries: Sequence[Utterance | Dropped], language: str, door: Door) -> Iterator[Row]:
    for entry in entries:
        if isinstance(entry, Dropped):
            yield Row(entry.id, entry.id, entry.label, language, "", False, b"")
            continue
        audio, unusable = _audio(entry, door)
        name, speaker = _source(entry), f"{entry.corpus}/{entry.speaker}"
        yield Row(name, name, entry.emotion, language, speaker, False, audio, unusable)


def _audio(utterance: Utterance, door: Door) -> tuple[bytes, str | None]:
    """The recording as FLAC, or why there is none."""
    if utterance.recording is None:
        return b"", "is a text without a recording"
    try:
        clip = open_recording(utterance.recording, door)
    except BadAudio as error:
        return b"", str(error)
    return encode_flac(clip.samples, clip.sampling_rate), None
