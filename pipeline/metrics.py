"""What a verdict is worth: WA, UA, macro-F1, and how sure one may be of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

_RESAMPLES = 1000
_TRIES = 100
"""Draws for each resample, of clusters that may lack a class."""
_UNKNOWN = np.array([[0.0] * 3, [1.0] * 3])


@dataclass(frozen=True)
class Metrics:
    """WA (accuracy), UA (mean recall, UAR) and macro-F1, each with its 95 % interval."""

    clips: int
    wa: float
    ua: float
    f1: float
    wa_interval: tuple[float, float]
    ua_interval: tuple[float, float]
    f1_interval: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def confusion(truth: np.ndarray, verdict: np.ndarray, classes: int) -> np.ndarray:
    """Counts [C, C] of true class by verdict, from class numbers [N]."""
    counts = np.bincount(truth * classes + verdict, minlength=classes**2)
    return counts.reshape(classes, classes)


def rates(counts: np.ndarray) -> tuple[float, float, float]:
    """WA, UA and macro-F1 of a confusion matrix [C, C], over the classes that occur."""
    hits = np.diag(counts).astype(float)
    true, said = counts.sum(axis=1), counts.sum(axis=0)
    occurs = true > 0
    if not occurs.any():
        raise ValueError("there are no verdicts to count")
    f1 = 2 * hits / np.maximum(true + said, 1)
    recall = hits[occurs] / true[occurs]
    return float(hits.sum() / counts.sum()), float(recall.mean()), float(f1[occurs].mean())


def measure(
    truth: np.ndarray, verdict: np.ndarray, classes: int, clusters: np.ndarray, seed: int = 0
) -> Metrics:
    """Metrics of verdicts [N] with percentile bootstrap intervals (Efron 1979).

    Whole clusters are drawn, by `clusters` [N]: the renditions of one sentence in several languages
    err together, and drawn one by one they would promise more than is known. Every draw has all
    classes that occur, or it would be of another UA. Where that leaves nothing to draw, nothing is
    known: the intervals are 0 to 1.
    """
    random = np.random.default_rng(seed)
    _, cluster = np.unique(clusters, return_inverse=True)
    counts = np.zeros((int(cluster.max()) + 1, classes, classes), dtype=int)
    np.add.at(counts, (cluster, truth, verdict), 1)
    times = islice(_draws(counts.sum(axis=2) > 0, random), _RESAMPLES)
    spread = np.array([rates(np.tensordot(n, counts, 1)) for n in times])
    is_known = len(spread) == _RESAMPLES
    low, high = np.quantile(spread, [0.025, 0.975], axis=0) if is_known else _UNKNOWN
    intervals = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    return Metrics(len(truth), *rates(counts.sum(axis=0)), *intervals)


def _draws(has: np.ndarray, random: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each cluster is drawn [K], again and again; which classes it `has` is [K, C].

    Clusters of one class each, as sentences are, are drawn within it; a class that has only one
    does not vary. Those of several, as speakers are, are drawn anew until no class is missing.
    """
    occurring = has[:, has.any(axis=0)]
    apart = bool((occurring.sum(axis=1) == 1).all())
    strata = [np.flatnonzero(of_class) for of_class in occurring.T] if apart else []
    strata = strata or [np.arange(len(has))]
    if all(len(stratum) == 1 for stratum in strata):
        return
    for _ in range(_RESAMPLES * _TRIES):
        drawn = np.concatenate([random.choice(stratum, len(stratum)) for stratum in strata])
        if occurring[drawn].any(axis=0).all():
            yield np.bincount(drawn, minlength=len(has))
