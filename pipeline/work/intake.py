"""A corpus becomes batches in the work store: fixed groups of utterances, named by content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.audio import may_pass
from pipeline.corpora.base import Dropped, Unreadable
from pipeline.dataset.manifest import sha256
from pipeline.engine import digest
from pipeline.provenance.components import may_pass_on_text
from pipeline.recipe import Recipe
from pipeline.records import Utterance
from pipeline.work import tables
from pipeline.work.store import Store

STAGE = "utterances"
_VERSION = 1


@dataclass(frozen=True)
class Batch:
    """A group of utterances in the store, under `key`."""

    key: str
    size: int


@dataclass
class Intake:
    """What came in: batches, labels that map to no emotion, and entries that can't be read.

    `licences` are those that the utterances name; `withheld` counts those whose text may not be
    passed on.
    """

    batches: list[Batch] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)
    licences: set[str] = field(default_factory=set)
    withheld: int = 0

    @property
    def utterances(self) -> int:
        """Number of utterances in all batches."""
        return sum(batch.size for batch in self.batches)


def take_in(store: Store, recipe: Recipe, limit: int | None = None) -> Intake:
    """Read the corpus into batches; of two utterances with one id the second is unreadable.

    Raises:
        CorpusMissing: see `Corpus.read`.
        OSError: a recording that is there can't be read now.
    """
    intake = Intake()
    for group in _groups(_utterances(recipe, intake, limit), recipe.batch_size):
        rows = [tables.utterance_row(utterance) for utterance in group]
        key = digest(STAGE, _VERSION, [_content(row) for row in rows])
        if not store.has(STAGE, key) or not _same_paths(store, key, rows):
            store.write(STAGE, key, tables.table(rows, tables.UTTERANCES))
        intake.batches.append(Batch(key, len(rows)))
    return intake


def _utterances(recipe: Recipe, intake: Intake, limit: int | None) -> Iterator[Utterance]:
    seen: set[str] = set()
    count = 0
    for entry in recipe.corpus.read():
        if count == limit:
            return
        if isinstance(entry, Dropped):
            intake.dropped[entry.label] += 1
        elif isinstance(entry, Unreadable):
            intake.unreadable.append(Unreadable(_unicode(entry.id), _unicode(entry.error)))
        elif entry.recording and (odd := _not_unicode(entry.recording.path)):
            error = f"'{odd}' in the path of its recording is not UTF-8: rename it"
            intake.unreadable.append(Unreadable(entry.id, error))
        elif entry.id in seen:
            error = f"a second utterance has the id '{entry.id}': ids are unique in a corpus"
            intake.unreadable.append(Unreadable(entry.id, error))
        else:
            seen.add(entry.id)
            intake.licences.add(entry.licence)
            intake.withheld += not may_pass_on_text(entry.corpus, entry.licence)
            count += 1
            yield entry


def _unicode(name: str) -> str:
    """The same, with an escape for each byte of a file's name that is no UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _not_unicode(path: Path) -> str | None:
    """The first part of a path that no table can hold."""
    return next((_unicode(part) for part in path.parts if part != _unicode(part)), None)


def _groups(utterances: Iterator[Utterance], size: int) -> Iterator[list[Utterance]]:
    group: list[Utterance] = []
    for utterance in utterances:
        group.append(utterance)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _content(row: dict[str, Any]) -> dict[str, Any]:
    """What a batch is named by: everything but where the recording lies, and its hash instead."""
    path = row["path"]
    return {**row, "path": _sha256(Path(path)) if path else None}


def _sha256(path: Path) -> str | None:
    """Hash of a recording; None if it never can be opened, which the door will say better."""
    try:
        return sha256(path) if path.is_file() else None
    except OSError as error:
        if may_pass(error):
            raise
        return None


def _same_paths(store: Store, key: str, rows: list[dict[str, Any]]) -> bool:
    """Whether the stored batch still knows where its recordings lie."""
    stored = store.read(STAGE, key, ["path"]).column("path").to_pylist()
    return bool(stored == [row["path"] for row in rows])
