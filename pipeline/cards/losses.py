"""Whom the gates hit: what each group lost to them, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from pipeline.cards.rules import gates_of
from pipeline.dataset.reading import DatasetFolder

Cluster = Literal["speaker", "sentence"]

_COLUMNS: dict[Cluster, str] = {"speaker": "speaker_id", "sentence": "source_id"}
FEWEST_SPEAKERS = 8
"""Fewer can't stand for the spread between speakers (assumed)."""
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Loss:
    """How many of a group's judged takes the gates removed, by cluster of takes that belong
    together: `judged` and `lost` have an entry each."""

    group: str
    judged: tuple[int, ...]
    lost: tuple[int, ...]

    @property
    def takes(self) -> int:
        """All judged takes of the group."""
        return sum(self.judged)

    @property
    def share(self) -> float:
        """Part of the judged takes that is lost."""
        return sum(self.lost) / self.takes

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The share's interval at 95 %, for clusters that are drawn and not takes.

        Wilson's score interval (Wilson 1927, JASA 22) of as many independent takes as the clusters
        are worth: the design effect of Rao and Scott 1992 (Biometrics 48), never below 1, and
        Student's t for few clusters (Korn and Graubard 1998, Survey Methodology 24). A group that
        lost all or nothing counts a take for each cluster (assumed); one cluster tells nothing.
        """
        if len(self.judged) < 2:
            return 0.0, 1.0
        from scipy.stats import norm, t

        tail = (1 + _CONFIDENCE) / 2
        z, p = float(norm.ppf(tail)), self.share
        n = self._independent_takes() * (z / float(t.ppf(tail, len(self.judged) - 1))) ** 2
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * (p * (1 - p) / n + z**2 / (4 * n * n)) ** 0.5 / (1 + z**2 / n)
        # The share lies within; at 0 and 1 rounding would leave it out by a hair.
        return max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half))

    def _independent_takes(self) -> float:
        clusters, p = len(self.judged), self.share
        if p in (0.0, 1.0):
            return float(clusters)
        residuals = np.array(self.lost) - p * np.array(self.judged)
        variance = clusters / (clusters - 1) * float(residuals @ residuals) / self.takes**2
        return min(float(self.takes), p * (1 - p) / variance) if variance else float(self.takes)


def clusters_of(dataset: DatasetFolder) -> Cluster:
    """What takes belong together by: their speaker or, where speakers are few, their sentence."""
    speakers = dataset.value("SELECT count(DISTINCT speaker_id) FROM takes")
    return "speaker" if speakers >= FEWEST_SPEAKERS else "sentence"


def losses(dataset: DatasetFolder, column: str) -> list[Loss]:
    """What the gates removed, by emotion, language or gender, the most hit first."""
    found = dataset.rows(
        f"SELECT {column} AS name, list(takes ORDER BY cluster) AS judged, "  # noqa: S608 - our own
        "list(removed ORDER BY cluster) AS lost FROM ("
        f"SELECT {column}, {_COLUMNS[clusters_of(dataset)]} AS cluster, count(*) AS takes, "
        "count(*) FILTER (list_contains($1, reason)) AS removed FROM takes GROUP BY ALL) "
        f"GROUP BY {column} ORDER BY sum(removed) / sum(takes) DESC, name",
        [list(gates_of(dataset.recipe))],
    )
    return [Loss(row["name"], tuple(row["judged"]), tuple(row["lost"])) for row in found]


def hit_beyond_chance(groups: Sequence[Loss], share: float) -> list[str]:
    """The groups whose whole interval lies above a share."""
    return [loss.group for loss in groups if loss.interval[0] > share]
