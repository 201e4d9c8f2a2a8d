"""What the gates removed of the judged takes, and of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.cards import tables
from pipeline.cards.kept import Kept
from pipeline.cards.losses import Cluster, Loss, clusters_of, hit_beyond_chance
from pipeline.cards.rules import gates_of, why_spare
from pipeline.dataset.reading import DatasetFolder
from pipeline.languages import LANGUAGES, language_name

_UNEQUAL = 0.05
"""Difference of shares from which a gate is said to hit one emotion harder than another."""
_MOST = 0.5
"""The share of all losses that a few voices must have between them to be named (assumed)."""


@dataclass(frozen=True)
class HardestHit:
    """The few voices that most of the losses are of."""

    names: list[str]
    lost: int
    every: int
    """Losses of all voices."""


@dataclass(frozen=True)
class Removed:
    """Takes that were judged and not kept: how many, why, and whom the gates took them from."""

    judged: int
    lost: str
    """To gates, with the share."""
    spare: str
    """That passed every gate, and lost against other takes."""
    why_spare: str
    uneven_gates: list[tuple[str, str, str, str, str]]
    """Gate, the emotion that it hits hardest and its share, the least hit and its share."""
    unequal: str
    """Percentage points from which a gate is uneven."""
    hit_hard: list[str]
    """Groups that lost more than the whole, beyond chance."""
    voices: HardestHit | None
    cluster: Cluster
    """What the intervals take for one draw."""
    clusters: int


def removed(dataset: DatasetFolder, kept: Kept, losses_by: Mapping[str, Sequence[Loss]]) -> Removed:
    """What was removed of a set; `losses_by` emotion, language and gender."""
    judged = dataset.value("SELECT count(*) FROM takes")
    lost = sum(sum(loss.lost) for loss in losses_by["emotion"])
    every = [loss for groups in losses_by.values() for loss in groups]
    hit_hard = hit_beyond_chance(every, lost / judged if judged else 0.0)
    cluster = clusters_of(dataset)
    return Removed(
        judged=judged,
        lost=tables.share_of(lost, judged),
        spare=f"{judged - kept.takes - lost:,}",
        why_spare=why_spare(),
        uneven_gates=tables.hardest_hit(dataset, _UNEQUAL),
        unequal=f"{100 * _UNEQUAL:.0f}",
        hit_hard=[language_name(one) if one in LANGUAGES else one for one in hit_hard],
        voices=hardest_hit_voices(dataset),
        cluster=cluster,
        clusters=kept.speakers if cluster == "speaker" else kept.sources,
    )


def hardest_hit_voices(dataset: DatasetFolder) -> HardestHit | None:
    """The fewest voices that most of the losses are of, their losses, and all.

    None where that takes more than a quarter of the voices: then it is not a matter of voices.
    """
    found = dataset.rows(
        "SELECT voice, count(*) FILTER (list_contains($1, reason)) AS lost FROM takes "
        "GROUP BY voice ORDER BY lost DESC, voice",
        [list(gates_of(dataset.recipe))],
    )
    every = sum(row["lost"] for row in found)
    named: list[str] = []
    lost = 0
    for row in found:
        if lost > _MOST * every or not row["lost"]:
            break
        named.append(row["voice"])
        lost += row["lost"]
    return HardestHit(named, lost, every) if named and 4 * len(named) <= len(found) else None
