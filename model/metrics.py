"""What a verdict is worth: WA, UA, macro-F1, and how sure one may be of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

_RESAMPLES = 1000


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
    truth: np.ndarray, verdict: np.ndarray, classes: int, sources: np.ndarray, seed: int = 0
) -> Metrics:
    """Metrics of verdicts [N] with percentile bootstrap intervals (Efron 1979).

    Whole sentences are drawn, by `sources` [N]: the renditions of one in several languages err
    together, and drawn one by one they would promise more than is known.
    """
    random = np.random.default_rng(seed)
    _, sentence = np.unique(sources, return_inverse=True)
    count = int(sentence.max()) + 1
    counts = np.zeros((count, classes, classes), dtype=int)
    np.add.at(counts, (sentence, truth, verdict), 1)
    draws = (random.integers(0, count, count) for _ in range(_RESAMPLES))
    times = (np.bincount(drawn, minlength=count) for drawn in draws)
    spread = np.array([rates(np.tensordot(n, counts, 1)) for n in times])
    low, high = np.quantile(spread, [0.025, 0.975], axis=0)
    intervals = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    return Metrics(len(truth), *rates(counts.sum(axis=0)), *intervals)
