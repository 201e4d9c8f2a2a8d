"""A sample of a set's clips, made again from its recipe and compared byte by byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.dataset.reading import DatasetFolder, open_folder
from pipeline.engine import M5SER_VERSION
from pipeline.errors import InputError
from pipeline.provenance.flac import NotFlac, samples_md5, with_comments
from pipeline.recipe import Recipe
from pipeline.stages import measure, synthesize, translate
from pipeline.store import Store
from pipeline.tables import takes
from pipeline.verify.findings import Findings
from pipeline.work.census import take_census
from pipeline.work.chains import chains_of
from pipeline.work.intake import take_in
from pipeline.work.outcomes import Chain
from pipeline.work.wordings import Verdict, Wording, wordings_of
from pipeline.writing.rows import clip_marks

_UNREADABLE = frozenset({"recipe", "schema", "build"})
"""Checks whose problems keep a set from being opened."""


@dataclass(frozen=True)
class _Wanted:
    take_id: str
    source_id: str
    language: str


def check_remade(folder: Path, recipe: Recipe, count: int, findings: Findings) -> None:
    """Make up to `count` of a set's clips again, with all that they need, and compare them.

    The whole corpus is read and measured, since voices and neutral speech depend on all of it; of
    its lines only those of the sample are spoken. What was found to be unreadable is not tried.

    Raises:
        InputError: the recipe's corpus is not at hand, or it runs a command of whoever wrote it.
    """
    _refuse_commands(recipe)
    if _UNREADABLE & set(findings.wrong):
        return
    with open_folder(folder) as dataset:
        wanted = _sample(dataset, count)
        published = dataset.audio([one.take_id for one in wanted])
        utterances = int(dataset.build["read"]["utterances"])
    with TemporaryDirectory(prefix="m5ser-verify-") as temporary:
        made = _make(Store(temporary), recipe, utterances, wanted)
    same = 0
    for one in wanted:
        fault = _fault(published[one.take_id], made.get(one.take_id))
        same += fault is None
        if fault:
            findings.report("rebuild", one.take_id, fault)
    findings.checks["rebuild"] = f"{same} of {len(wanted)} clips are the same, byte by byte"


def _refuse_commands(recipe: Recipe) -> None:
    if _has_command(recipe.model_dump()):
        raise InputError(
            "--rebuild: the recipe runs a command of whoever wrote it, which is not run here: "
            "read it, and build the set yourself with `m5ser build`"
        )


def _has_command(settings: Any) -> bool:
    """Whether any engine, however deep in another's settings, has a command."""
    if isinstance(settings, dict):
        return "command" in settings or any(map(_has_command, settings.values()))
    return isinstance(settings, list | tuple) and any(map(_has_command, settings))


def _sample(dataset: DatasetFolder, count: int) -> list[_Wanted]:
    """Takes, kept or rejected; the same folder gives the same sample."""
    rows = dataset.rows(
        "SELECT take_id, source_id, language FROM takes ORDER BY md5(take_id), take_id LIMIT $1",
        [count],
    )
    return [_Wanted(row["take_id"], row["source_id"], row["language"]) for row in rows]


def _make(
    store: Store, recipe: Recipe, utterances: int, wanted: Sequence[_Wanted]
) -> dict[str, bytes]:
    """The clips of some takes, as they are published."""
    intake = take_in(store, recipe, utterances)
    sources = {batch.key: measure.key(batch.key, recipe.corpus.door) for batch in intake.batches}
    for batch, output in sources.items():
        measure.run(store, batch, output, recipe.corpus.door)
    census = take_census(store, recipe, intake, sources)
    wordings, verdicts = [], []
    for wording in wordings_of(store, recipe, intake, sources):
        spoken = _spoken(wording, wanted)
        if spoken:
            texts = wording.texts
            translate.run(store, wording.lines, recipe.translation, wording.language, texts)
            wordings.append(wording)
            verdicts.append(Verdict(spoken))
    made: dict[str, bytes] = {}
    for chain in chains_of(store, recipe, census, wordings, verdicts):
        made |= _speak(store, recipe, chain)
    return made


def _spoken(wording: Wording, wanted: Sequence[_Wanted]) -> tuple[str, ...]:
    """The lines of a wording that the sample needs."""
    ids = {one.source_id for one in wanted if one.language == wording.language}
    return tuple(text.id for text in wording.texts if text.id in ids)


def _speak(store: Store, recipe: Recipe, chain: Chain) -> dict[str, bytes]:
    """The marked clips of a chain; no judge is asked, since judges change none."""
    synthesize.run(store, chain.takes, recipe, chain.synthesis)
    marks = clip_marks(recipe, f"m5ser {M5SER_VERSION}")
    made = takes(store.read("takes", chain.takes))
    return {one.id: with_comments(one.audio, {**marks, "TAKE_ID": one.id}) for one in made}


def _fault(published: bytes, made: bytes | None) -> str | None:
    if made is None:
        return "the recipe does not make it here"
    if made == published:
        return None
    try:
        if samples_md5(made) == samples_md5(published):
            return "its samples are the same, and its packing or comments differ"
    except NotFlac as error:
        return f"it is no FLAC: {error}"
    return "it comes out otherwise: another version of an engine, or another corpus"
