"""Which split every utterance is in: known when its lines are, since these must not leak either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline import tables
from pipeline.languages import Language
from pipeline.recipe import Recipe
from pipeline.selection.splits import Split, assign_splits
from pipeline.store import Store
from pipeline.work.census import Census, admitted
from pipeline.work.intake import Intake
from pipeline.work.shortfalls import shortfalls
from pipeline.work.wordings import Wording


@dataclass(frozen=True)
class Division:
    """`splits` by utterance id; `shortfalls`: what the corpus can't give the set, in sentences."""

    splits: Mapping[str, Split]
    shortfalls: tuple[str, ...] = ()


def divide(
    store: Store,
    recipe: Recipe,
    intake: Intake,
    sources: Mapping[str, str],
    census: Census,
    wordings: Sequence[Wording],
) -> Division:
    """Divide the utterances that came through the door, by their texts in every language.

    `sources`: as for `take_census`; `wordings`: translated.
    """
    utterances = [one for _, one, _ in admitted(store, intake.batches, sources)]
    lines = _lines(store, wordings)
    splits = assign_splits(
        [one.id for one in utterances],
        [one.speaker for one in utterances],
        [census.voices[one.speaker] for one in utterances],
        [
            [one.text for one in utterances],
            *([of_one.get(one.id, "") for one in utterances] for of_one in lines.values()),
        ],
        [(one.emotion, one.gender) for one in utterances],
        recipe.splits,
    )
    recorded = ((one.speaker, one.emotion) for one in utterances if one.recording)
    return Division(splits, tuple(shortfalls(recipe, splits, recorded)))


def _lines(store: Store, wordings: Sequence[Wording]) -> dict[Language, dict[str, str]]:
    """The translated texts by language and utterance id."""
    found: dict[Language, dict[str, str]] = {}
    for wording in wordings:
        if wording.language != "en":
            of_one = found.setdefault(wording.language, {})
            for line in tables.lines(store.read("lines", wording.lines)):
                of_one[line.source_id] = line.text
    return found
