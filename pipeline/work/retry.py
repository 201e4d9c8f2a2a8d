"""Rows that failed are due again: the tables that they stand in are taken out of the store.

Each after what was made of it, so that a kill on the way leaves nothing that goes without its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.recipe import Recipe
from pipeline.stages import check, judge, measure, synthesis_job, translate
from pipeline.store import Store
from pipeline.work.outcomes import Chain
from pipeline.work.wordings import Wording

Place = tuple[str, str]
"""Stage and key of a table."""


def forget_failed_sources(store: Store, sources: Iterable[str]) -> None:
    """Let batches with an entry that didn't come through the door be measured again."""
    for key in sources:
        _forget(store, (measure.STAGE, key), [])


def forget_failed_lines(store: Store, recipe: Recipe, wordings: Sequence[Wording]) -> None:
    """Let wordings with a line that failed be translated, or only judged, again."""
    for one in wordings:
        judged = [(check.STAGE, one.checking.key(own)) for own in recipe.text_judges]
        _forget(store, (translate.STAGE, one.lines), judged)


def forget_failed_takes(store: Store, recipe: Recipe, chains: Sequence[Chain]) -> None:
    """Let chains with a take that failed be spoken, or only judged, again."""
    for chain in chains:
        judged = [(judge.STAGE, chain.judging.key(own)) for own in recipe.judges]
        _forget(store, (synthesis_job.STAGE, chain.takes), judged)


def _forget(store: Store, made: Place, judged: Sequence[Place]) -> None:
    anew = _has_failed(store, made)
    for table in judged:
        if store.has(*table) and (anew or _has_failed(store, table)):
            store.remove(*table)
    if anew:
        store.remove(*made)


def _has_failed(store: Store, place: Place) -> bool:
    """Whether a table is there and has a row with an error."""
    if not store.has(*place):
        return False
    errors = store.read(*place, ["error"]).column("error")
    return bool(errors.null_count < len(errors))
