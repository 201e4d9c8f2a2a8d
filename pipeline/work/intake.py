"""A corpus becomes batches in the work store: groups of utterances, named by content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline import tables
from pipeline.audio import is_there
from pipeline.corpora.base import Dropped, Entry, Unreadable
from pipeline.engine import digest, file_sha256
from pipeline.provenance.components import may_pass_on_text
from pipeline.recipe import Recipe
from pipeline.records import Utterance
from pipeline.store import Store

STAGE = "utterances"
_VERSION = 2
_RECENT = 64
"""Recordings whose hashes are remembered: the parts of one stand together in a list."""

Hashed = Callable[[Path], str | None]


@dataclass(frozen=True)
class Batch:
    """A group of utterances in the store, under `key`."""

    key: str
    size: int


@dataclass
class Intake:
    """What came in: batches, labels that map to no emotion, and entries that can't be read.

    `licences` are those that the utterances name; `withheld` counts those whose text may not be
    passed on; `ids` are those of the utterances.
    """

    batches: list[Batch] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)
    licences: set[str] = field(default_factory=set)
    withheld: int = 0
    ids: set[str] = field(default_factory=set)

    @property
    def utterances(self) -> int:
        """Number of utterances in all batches."""
        return sum(batch.size for batch in self.batches)


def take_in(store: Store, recipe: Recipe, limit: int | None = None) -> Intake:
    """Read the corpus into batches; of two utterances with one id the second is unreadable.

    Raises:
        CorpusMissing: see `Corpus.read`.
        InputError: an utterance names a corpus that the ledger doesn't know.
        OSError: a recording that is there can't be read now.
    """
    intake, hashed = Intake(), _hashed_once()
    utterances = islice(admitted(recipe.corpus.read(), intake), limit)
    for group in groups(utterances, recipe.batch_size):
        rows = [tables.utterance_row(_with_hash(utterance, hashed)) for utterance in group]
        key = digest(STAGE, _VERSION, list(map(_content, rows)))
        if not store.has(STAGE, key) or not _same_paths(store, key, rows):
            store.write(STAGE, key, tables.table(rows, tables.UTTERANCES))
        intake.batches.append(Batch(key, len(rows)))
    return intake


def admitted(entries: Iterable[Entry], intake: Intake) -> Iterator[Utterance]:
    """The utterances of a corpus; what else is read on the way to each goes into the intake."""
    for entry in map(_placed, entries):
        if isinstance(entry, Dropped):
            intake.dropped[entry.label] += 1
        elif isinstance(entry, Unreadable):
            intake.unreadable.append(Unreadable(_unicode(entry.id), _unicode(entry.error)))
        elif entry.recording and (odd := _not_unicode(entry.recording.path)):
            error = f"'{odd}' in the path of its recording is not UTF-8: rename it"
            intake.unreadable.append(Unreadable(entry.id, error))
        elif entry.id in intake.ids:
            error = (
                f"a second utterance has the id '{entry.id}': ids are unique in a corpus; give "
                "each row its own in a column `id`, or the list another file name"
            )
            intake.unreadable.append(Unreadable(entry.id, error))
        else:
            intake.ids.add(entry.id)
            intake.licences.add(entry.licence)
            intake.withheld += not may_pass_on_text(entry.corpus, entry.licence)
            yield entry


def _placed(entry: Entry) -> Entry:
    """The same, with its recording's place as a worker in another folder finds it."""
    if not isinstance(entry, Utterance) or entry.recording is None:
        return entry
    recording = entry.recording
    return replace(entry, recording=replace(recording, path=recording.path.absolute()))


def _unicode(name: str) -> str:
    """The same, with an escape for each byte of a file's name that is no UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _not_unicode(path: Path) -> str | None:
    """The first part of a path that no table can hold."""
    return next((_unicode(part) for part in path.parts if part != _unicode(part)), None)


def groups(utterances: Iterator[Utterance], size: int) -> Iterator[list[Utterance]]:
    """Groups of `size` at most, and of half of it at least but for the last.

    A group ends at the utterance whose id has the least hash of those where it may, so that one
    that is added or taken out moves the bounds near it, and all other batches stay what they were
    (after the local maximum chunking of Bjørner et al. 2010).
    """
    waiting: list[Utterance] = []
    for utterance in utterances:
        waiting.append(utterance)
        if len(waiting) == size:
            end = min(range((size - 1) // 2, size), key=lambda at: digest(waiting[at].id)) + 1
            yield waiting[:end]
            waiting = waiting[end:]
    if waiting:
        yield waiting


def _with_hash(utterance: Utterance, hashed: Hashed) -> Utterance:
    if utterance.recording is None:
        return utterance
    found = hashed(utterance.recording.path)
    return replace(utterance, recording=replace(utterance.recording, sha256=found))


def _content(row: dict[str, Any]) -> dict[str, Any]:
    """What a batch is named by: all of it, but of a recording's place only that there is one."""
    return {**row, "path": row["path"] is not None}


def _hashed_once() -> Hashed:
    """Hashing of recordings, each once, as many utterances may be cut from one long file."""
    return lru_cache(maxsize=_RECENT)(_sha256)


def _sha256(path: Path) -> str | None:
    """Hash of a recording; None if it never can be opened, which the door will say better."""
    return file_sha256(path) if is_there(path) else None


def _same_paths(store: Store, key: str, rows: list[dict[str, Any]]) -> bool:
    """Whether the stored batch still knows where its recordings lie."""
    stored = store.read(STAGE, key, ["path"]).column("path").to_pylist()
    return bool(stored == [row["path"] for row in rows])
