"""What judged the lines and the takes of a set, and what nothing did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from pipeline.cards.rules import gates_of
from pipeline.dataset.reading import DatasetFolder
from pipeline.judges.any import AnyJudge
from pipeline.judges.base import Judge, Measured
from pipeline.selection.gates import Gate
from pipeline.text_judges.any import AnyTextJudge

ABSENT: Mapping[Measured, str] = {
    "transcript": "**No transcript check**: nothing verified that a clip says its text, all of it, "
    "in its language.",
    "emotion": "**No emotion classifier** heard the takes.",
    "speech": "No voice activity detector looked for speech.",
    "quality": "Sound quality was not estimated.",
    "speaker": "No speaker verification: voices may be less distinct than named.",
}
"""What a card must say where no judge measured it, the weightiest first."""
_UNFITTED = (
    "**The probe was not fitted**: too few of the recordings came in, as in a dry run. Its scores "
    "are missing, and a missing score passes no gate."
)
Check = tuple[str, str, list[str]]
"""A judge: its name, what it looks at, and the gates that read it."""

_UNEQUAL = 0.05
"""Difference of shares from which a gate is said to hit one emotion harder than another."""


@dataclass(frozen=True)
class Checks:
    """The judges of a set with the gates that read them, and what none of them looked at."""

    of_takes: list[Check]
    of_lines: list[Check]
    absent: list[str]
    """What a reader might take for checked, in sentences."""
    glossary: dict[str, str]
    """What each score of the takes is, in words."""


def checks(dataset: DatasetFolder) -> Checks:
    """The checks of a set, by its recipe."""
    return Checks(
        _of_takes(dataset), _of_lines(dataset.recipe), _unchecked(dataset), _glossary(dataset)
    )


def _of_takes(dataset: DatasetFolder) -> list[Check]:
    """The judges that measured the takes, and which gates read them."""
    gates = gates_of(dataset.recipe)
    return [
        (one.title, one.checks, _readers(gates, one.scores))
        for one in _judges(dataset.recipe)
        if not (one.engine == "probe" and _unfitted(dataset))
    ]


def _judges(recipe: dict[str, Any]) -> tuple[Judge, ...]:
    judges: TypeAdapter[tuple[Judge, ...]] = TypeAdapter(tuple[AnyJudge, ...])
    return judges.validate_python(recipe["judges"])


def _unfitted(dataset: DatasetFolder) -> bool:
    """Whether the recipe has a probe that there were too few recordings for."""
    named = any(judge["engine"] == "probe" for judge in dataset.recipe["judges"])
    return named and dataset.build.get("probe") is None


def _of_lines(recipe: dict[str, Any]) -> list[Check]:
    """The judges that read the lines, and which gates read them."""
    given = recipe.get("text_judges", [])
    judges = TypeAdapter(tuple[AnyTextJudge, ...]).validate_python(given)
    gates = gates_of(recipe, "text_gates")
    return [(one.title, one.checks, _readers(gates, one.scores)) for one in judges]


def _glossary(dataset: DatasetFolder) -> dict[str, str]:
    """What each score of the takes is, in words."""
    return {
        name: about for judge in _judges(dataset.recipe) for name, about in judge.scores.items()
    }


def _readers(gates: dict[str, Gate], scores: Iterable[str]) -> list[str]:
    return [name for name, gate in gates.items() if set(gate.score_names) & set(scores)]


def _unchecked(dataset: DatasetFolder) -> list[str]:
    """What a reader might take for checked: sentences, the weightiest first."""
    measured = {one for judge in _judges(dataset.recipe) for one in judge.measures}
    absent = [sentence for one, sentence in ABSENT.items() if one not in measured]
    return [_UNFITTED, *absent] if _unfitted(dataset) else absent
