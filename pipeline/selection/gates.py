"""Gates: thresholds on scores. They decide, cost nothing to change, and never look at audio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Discriminator, Field, Tag, model_validator

from pipeline.engine import Settings
from pipeline.languages import Language

Share = Annotated[float, Field(ge=0, le=1)]
Columns = Mapping[str, np.ndarray]
"""Score columns by name, each float64 [N]; NaN where a judge had nothing to measure."""
_ROUNDING = 1e-9
"""What a share of so many takes may lack of a whole one: 1 - 0.9 is less than 0.1."""


class Bounds(Settings):
    """Limits of a score: absolute, or as quantiles of this score over the language's takes.

    A share that is less than one take refuses none: somebody is always the last.
    """

    min: float | None = None
    """The lowest score that passes."""
    max: float | None = None
    """The highest score that passes."""
    min_quantile: Share | None = None
    """Share of the language's takes that fail for the lowest scores."""
    max_quantile: Share | None = None
    """Share of the language's takes up to which a score passes: 0.97 fails the highest 3 %."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}: swap them")
        return self

    def limits(self, values: np.ndarray) -> tuple[float, float]:
        """Lowest and highest passing value, the stricter of absolute and quantile limits.

        `values`: float64 [N] of one language; the quantiles are taken over the finite ones.
        """
        finite = values[np.isfinite(values)]
        low = -np.inf if self.min is None else self.min
        high = np.inf if self.max is None else self.max
        one_take = 1 - _ROUNDING
        if self.min_quantile is not None and self.min_quantile * finite.size >= one_take:
            low = max(low, float(np.quantile(finite, self.min_quantile)))
        if self.max_quantile is not None and (1 - self.max_quantile) * finite.size >= one_take:
            high = min(high, float(np.quantile(finite, self.max_quantile)))
        return low, high


class ScoreGate(Bounds):
    """Passes a take whose score lies within the bounds; a missing score (NaN) doesn't pass."""

    score: str
    """The score that is held against the bounds, by the name that its judge gives it."""
    languages: dict[Language, Bounds] = {}
    """Bounds of a language, which stand in place of all the gate's own."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        every: tuple[Bounds, ...] = (self, *self.languages.values())
        for bounds in every:
            given = bounds.model_dump(include=set(Bounds.model_fields), exclude_none=True)
            if not given:
                raise ValueError(
                    "has no bound: give min, max, min_quantile or max_quantile, or drop the gate"
                )
        return self

    @property
    def score_names(self) -> tuple[str, ...]:
        """The score columns that this gate reads."""
        return (self.score,)


class VoteGate(Settings):
    """Passes a take that at least `at_least` of its votes pass: judges are not trusted alone."""

    at_least: Annotated[int, Field(ge=1)]
    """Votes that a take must pass."""
    votes: Annotated[tuple[ScoreGate, ...], Field(min_length=1)]
    """Gates of which each has one vote."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.at_least > len(self.votes):
            raise ValueError(f"at_least {self.at_least} exceeds the {len(self.votes)} votes given")
        return self

    @property
    def score_names(self) -> tuple[str, ...]:
        """The score columns that this gate reads."""
        return tuple(vote.score for vote in self.votes)


def _kind(gate: Any) -> str:
    """Which gate is meant, so that what is wrong with it is said of that one alone."""
    if isinstance(gate, dict):
        return "VoteGate" if {"votes", "at_least"} & set(gate) else "ScoreGate"
    return "VoteGate" if isinstance(gate, VoteGate) else "ScoreGate"


Gate = Annotated[
    Annotated[ScoreGate, Tag("ScoreGate")] | Annotated[VoteGate, Tag("VoteGate")],
    Discriminator(_kind),
]


def without_quantiles(gate: Gate) -> Gate:
    """The gate by its absolute limits alone, which need no other takes to be held against.

    What passes the gate passes this one; a missing score passes neither.
    """
    none = {"min_quantile": None, "max_quantile": None}
    if isinstance(gate, VoteGate):
        return gate.model_copy(update={"votes": tuple(map(without_quantiles, gate.votes))})
    languages = {name: one.model_copy(update=none) for name, one in gate.languages.items()}
    return gate.model_copy(update={**none, "languages": languages})


@dataclass(frozen=True)
class Verdict:
    """What one gate said of N takes.

    `passed`: bool [N]; `score` and `threshold`: float64 [N], the value that was judged and the
    limit that it was held against (NaN: none): of `score_name`, or of several votes those for and
    those needed.
    """

    score_name: str
    passed: np.ndarray
    score: np.ndarray
    threshold: np.ndarray


def apply_gate(gate: Gate, columns: Columns, languages: np.ndarray) -> Verdict:
    """Hold N takes against a gate.

    `languages`: str [N]. Quantiles are taken by language, so a language is never judged by
    another's voices.

    Raises:
        KeyError: a score that no judge of the recipe writes.
    """
    if isinstance(gate, VoteGate):
        return _vote(gate, columns, languages)
    scores = columns[gate.score]
    passed = np.zeros(len(scores), dtype=bool)
    threshold = np.full(len(scores), np.nan)
    for language in np.unique(languages):
        rows = languages == language
        low, high = gate.languages.get(language, gate).limits(scores[rows])
        values = scores[rows]
        passed[rows] = (values >= low) & (values <= high)
        held_against = np.where(values > high, high, low if np.isfinite(low) else high)
        threshold[rows] = np.where(np.isfinite(held_against), held_against, np.nan)
    return Verdict(gate.score, passed, scores, threshold)


def _vote(gate: VoteGate, columns: Columns, languages: np.ndarray) -> Verdict:
    verdicts = [apply_gate(vote, columns, languages) for vote in gate.votes]
    if len(verdicts) == 1:
        return verdicts[0]
    votes = np.array([verdict.passed for verdict in verdicts], dtype=np.float64).sum(axis=0)
    needed = np.full(len(languages), float(gate.at_least))
    return Verdict("votes", votes >= needed, votes, needed)
