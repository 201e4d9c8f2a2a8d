"""Which takes are kept: a pure function of scores and settings, the same for build and tune."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from pipeline.engine import Settings, digest
from pipeline.selection.gates import Columns, Gate, apply_gate

BEST_TAKE = "best_take"
DUPLICATE = "duplicate"
BALANCE = "balance"


class Selection(Settings):
    """How takes are decided once the gates have spoken."""

    utility: dict[str, float] = {}
    """Weight of each score in the utility by which a line's best take is chosen."""
    takes_per_line: Annotated[int, Field(ge=1)] = 1
    """Takes of a line that are kept."""
    most_per_emotion: Annotated[int, Field(ge=1)] | None = None
    """Rows that a language keeps of one emotion, the best by utility (none: all)."""


@dataclass(frozen=True)
class Candidates:
    """N takes that were judged, in the order of the dataset.

    `take_ids`, `lines` (source id and language), `languages`, `emotions`, `audio_sha256`: str [N];
    `columns`: the scores, each float64 [N].
    """

    take_ids: Sequence[str]
    lines: Sequence[str]
    languages: np.ndarray
    emotions: Sequence[str]
    audio_sha256: Sequence[str]
    columns: Columns


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one take: kept if `reason` is None, else rejected by the gate it names.

    `score_name`, `score` and `threshold`: what it was held against there, as a `Verdict` or a
    `Choice` says it. `failed` names every gate that the take failed, in the recipe's order;
    `reason` is the first.
    """

    take_id: str
    reason: str | None
    score_name: str | None
    score: float
    threshold: float
    failed: tuple[str, ...] = ()


def decide(
    candidates: Candidates, gates: Mapping[str, Gate], selection: Selection
) -> list[Decision]:
    """Decide every take, in the order given: by the gates, then by each of the `CHOICES`."""
    utility = utilities(candidates.columns, selection.utility, len(candidates.take_ids))
    decisions = list(_hold_against_gates(candidates, gates))
    for name, choice in CHOICES.items():
        open_rows = [row for row, decision in enumerate(decisions) if decision.reason is None]
        for row, score, threshold in choice.reject(candidates, utility, open_rows, selection):
            take_id = candidates.take_ids[row]
            decisions[row] = Decision(take_id, name, choice.score_name, score, threshold, (name,))
    return decisions


def utilities(columns: Columns, weights: Mapping[str, float], count: int) -> np.ndarray:
    """Weighted sum of scores, float64 [count]; a missing score counts as the lowest there is."""
    total = np.zeros(count)
    for name, weight in weights.items():
        contribution = weight * columns[name]
        missing = ~np.isfinite(contribution)
        if not missing.all():
            total += np.where(missing, contribution[~missing].min(), contribution)
    return total


def _hold_against_gates(candidates: Candidates, gates: Mapping[str, Gate]) -> Iterator[Decision]:
    verdicts = {
        name: apply_gate(gate, candidates.columns, candidates.languages)
        for name, gate in gates.items()
    }
    for row, take_id in enumerate(candidates.take_ids):
        failed = tuple(name for name, verdict in verdicts.items() if not verdict.passed[row])
        if failed:
            first = verdicts[failed[0]]
            score, threshold = float(first.score[row]), float(first.threshold[row])
            yield Decision(take_id, failed[0], first.score_name, score, threshold, failed)
        else:
            yield Decision(take_id, None, None, np.nan, np.nan)


Rejections = Iterator[tuple[int, float, float]]
"""Rows that are not chosen, each with its score and what it had to be."""


def _drop_duplicates(
    candidates: Candidates, utility: np.ndarray, rows: list[int], selection: Selection
) -> Rejections:
    """Takes whose audio is the same to the byte as that of a take that is kept.

    Takes are gone through from the best on. One that a later choice will drop takes its audio from
    nobody: the same audio may stay as another take.
    """
    if len({candidates.audio_sha256[row] for row in rows}) == len(rows):
        return
    kept: set[str] = set()
    of_line: Counter[str] = Counter()
    of_cell: Counter[str] = Counter()
    cells, most = _cells(candidates), selection.most_per_emotion
    for row in _ranked(candidates, utility, rows):
        audio, line, cell = candidates.audio_sha256[row], candidates.lines[row], cells[row]
        if audio in kept:
            yield row, 1.0, 0.0
            continue
        of_line[line] += 1
        if of_line[line] > selection.takes_per_line:
            continue
        of_cell[cell] += 1
        if most is None or of_cell[cell] <= most:
            kept.add(audio)


def _keep_best_takes(
    candidates: Candidates, utility: np.ndarray, rows: list[int], selection: Selection
) -> Rejections:
    yield from _keep_top(candidates, utility, rows, candidates.lines, selection.takes_per_line)


def _balance(
    candidates: Candidates, utility: np.ndarray, rows: list[int], selection: Selection
) -> Rejections:
    if selection.most_per_emotion is None:
        return
    cells = _cells(candidates)
    yield from _keep_top(candidates, utility, rows, cells, selection.most_per_emotion)


def _cells(candidates: Candidates) -> list[str]:
    """The language and emotion of each take."""
    pairs = zip(candidates.languages, candidates.emotions, strict=True)
    return [f"{language}/{emotion}" for language, emotion in pairs]


def _ranked(candidates: Candidates, utility: np.ndarray, rows: Sequence[int]) -> list[int]:
    """Rows by utility, the highest first; ties go by take id."""
    return sorted(rows, key=lambda row: (-utility[row], digest(candidates.take_ids[row])))


def _keep_top(
    candidates: Candidates,
    utility: np.ndarray,
    rows: list[int],
    keys: Sequence[str],
    most: int,
) -> Rejections:
    """Reject all but the `most` rows of highest utility under each key."""
    by_key: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_key[keys[row]].append(row)
    for group in by_key.values():
        ranked = _ranked(candidates, utility, group)
        lowest_kept = float(utility[ranked[:most][-1]])
        for row in ranked[most:]:
            yield row, float(utility[row]), lowest_kept


@dataclass(frozen=True)
class Choice:
    """A choice among takes that passed every gate.

    `rule` says of a take, and `spare` of several, why it was not chosen; `score_name` what they
    are compared by; `reject` finds those that are not among the rows that are still open.
    """

    rule: str
    spare: str
    score_name: str
    reject: Callable[[Candidates, np.ndarray, list[int], Selection], Rejections]


CHOICES: Mapping[str, Choice] = {
    DUPLICATE: Choice(
        "its audio is the same, byte for byte, as that of a take that is kept",
        "they are duplicates",
        "copies",
        _drop_duplicates,
    ),
    BEST_TAKE: Choice(
        "another take of the same line has the higher utility",
        "another take of the line is better",
        "utility",
        _keep_best_takes,
    ),
    BALANCE: Choice(
        "its language has enough of this emotion, with higher utility",
        "there were enough",
        "utility",
        _balance,
    ),
}
"""The reasons that are no gate's, in the order of the work."""
