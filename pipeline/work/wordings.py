"""Every batch's lines in every language, and which of them are worth speaking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.languages import Language
from pipeline.recipe import Recipe
from pipeline.selection.choose import Candidates, Decision, Selection, decide
from pipeline.stages import check, translate
from pipeline.stages.check import CheckJob
from pipeline.stages.measure import admitted_texts
from pipeline.stages.translate import Text
from pipeline.store import Store
from pipeline.translation.table import read_table
from pipeline.work.intake import Batch, Intake


@dataclass(frozen=True)
class Wording:
    """A batch in one language as text, and the names of what is made of it.

    `texts` came through the door; `speakers` are theirs, and `contents` name what is used of each
    (`measure.Admitted`). `sources`, `lines`: keys.
    """

    batch: Batch
    language: Language
    texts: tuple[Text, ...]
    speakers: tuple[str, ...]
    contents: tuple[str, ...]
    sources: str
    lines: str
    checking: CheckJob


@dataclass(frozen=True)
class Verdict:
    """What became of a wording's lines: those that were rejected or failed are not spoken.

    `spoken`: utterance ids, or None for all lines that there are. `rejected` and `failed` (with
    the error) by utterance id.
    """

    spoken: tuple[str, ...] | None = None
    rejected: Mapping[str, Decision] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


def wordings_of(
    store: Store, recipe: Recipe, intake: Intake, sources: Mapping[str, str]
) -> Iterator[Wording]:
    """The wordings of a build; `sources`: for each batch's key that of its measured sources.

    Raises:
        InputError: the recipe's table of corrections, or of translations, can't be read.
    """
    table = read_table(recipe.corrections, "corrections") if recipe.corrections else []
    translation = recipe.translation.fingerprints()
    for batch in intake.batches:
        admitted = admitted_texts(store, batch.key, sources[batch.key])
        texts = [Text(one.id, one.text, one.emotion) for one in admitted]
        speakers = tuple(sorted({one.speaker for one in admitted}))
        contents = tuple(one.content for one in admitted)
        for language in recipe.languages:
            wanted = translate.corrected(texts, table, language)
            lines = translate.key(translation, language, wanted)
            checking = CheckJob(batch.key, lines, recipe.languages)
            yield Wording(
                batch=batch,
                language=language,
                texts=wanted,
                speakers=speakers,
                contents=contents,
                sources=sources[batch.key],
                lines=lines,
                checking=checking,
            )


def decide_lines(store: Store, recipe: Recipe, wordings: Sequence[Wording]) -> list[Verdict]:
    """Hold all lines against the text gates; a verdict for each wording.

    A line that a judge of texts fails on is not spoken either, since nobody has vouched for it.
    """
    if not recipe.text_judges:
        return [Verdict()] * len(wordings)
    checked = [_Checked.read(store, recipe, wording) for wording in wordings]
    decisions = decide(_candidates(recipe, checked), recipe.text_gates, Selection())
    by_line = {decision.take_id: decision for decision in decisions}
    return [one.verdict(by_line) for one in checked]


def line_scores(
    store: Store, recipe: Recipe, wording: Wording
) -> dict[str, dict[str, float | None]]:
    """All scores of a wording's lines by utterance id; None where a judge failed."""
    merged: dict[str, dict[str, float | None]] = {}
    for judge in recipe.text_judges:
        for row in store.read(check.STAGE, wording.checking.key(judge)).to_pylist():
            source_id, _ = row.pop("source_id"), row.pop("error")
            merged.setdefault(source_id, {}).update(row)
    return merged


@dataclass(frozen=True)
class _Checked:
    """A wording's lines that every judge could score, with their scores, and the others' errors."""

    language: Language
    scores: Mapping[str, Mapping[str, float | None]]
    failed: Mapping[str, str]

    @classmethod
    def read(cls, store: Store, recipe: Recipe, wording: Wording) -> _Checked:
        failed: dict[str, str] = {}
        for judge in recipe.text_judges:
            columns = ["source_id", "error"]
            rows = store.read(check.STAGE, wording.checking.key(judge), columns).to_pylist()
            errors = {row["source_id"]: row["error"] for row in rows if row["error"] is not None}
            failed = {**{id: f"{judge.engine}: {error}" for id, error in errors.items()}, **failed}
        scores = line_scores(store, recipe, wording)
        good = {id: found for id, found in scores.items() if id not in failed}
        return cls(wording.language, good, failed)

    def line_id(self, source_id: str) -> str:
        """One name for a line among those of all wordings."""
        return f"{source_id}.{self.language}"

    def verdict(self, decisions: Mapping[str, Decision]) -> Verdict:
        found = {id: decisions[self.line_id(id)] for id in self.scores}
        rejected = {id: decision for id, decision in found.items() if decision.reason is not None}
        if not rejected and not self.failed:
            return Verdict()
        return Verdict(tuple(id for id in found if id not in rejected), rejected, self.failed)


def _candidates(recipe: Recipe, checked: Sequence[_Checked]) -> Candidates:
    """All lines as the gates take them; a line has one candidate, so nothing else is chosen."""
    ids = [one.line_id(id) for one in checked for id in one.scores]
    languages = [one.language for one in checked for _ in one.scores]
    rows = [found for one in checked for found in one.scores.values()]
    columns = {
        name: np.array([row[name] for row in rows], dtype=np.float64)
        for judge in recipe.text_judges
        for name in judge.scores
    }
    return Candidates(ids, ids, np.array(languages, dtype=object), [""] * len(ids), ids, columns)
