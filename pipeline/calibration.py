"""How far a judge's probabilities may be believed, and what makes them more believable.

Everything here is of distributions over classes [N, C], with the true class of each row [N].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BINS = 10
_FOLDS = 5
_COOLEST, _WARMEST = 0.05, 20.0
"""Temperatures between which is searched; at either end the judge knows all, or nothing."""
_LEAST = 1e-12
"""Probability below which a logarithm says nothing more."""


@dataclass(frozen=True)
class Threshold:
    """A limit on a score; shares of the right and of the wrong that reach it."""

    at: float
    accepts_right: float
    accepts_wrong: float


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities under a temperature: softmax of their logarithms over it, on the last axis.

    At a temperature of 1 they stay as they are, made to add up to 1.
    """
    powers = probabilities ** (1.0 / temperature)
    found: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return found


def fitted_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The temperature under which the truth is likeliest (Guo et al. 2017, section 4.2)."""
    from scipy.optimize import minimize_scalar

    safe = np.maximum(probabilities, _LEAST)
    rows = np.arange(len(truth))

    def surprise(log_temperature: float) -> float:
        given = tempered(safe, float(np.exp(log_temperature)))[rows, truth]
        return -float(np.log(np.maximum(given, _LEAST)).mean())

    bounds = (np.log(_COOLEST), np.log(_WARMEST))
    return float(np.exp(minimize_scalar(surprise, bounds=bounds, method="bounded").x))


def calibration_error(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Expected calibration error over ten bins of confidence (Guo et al. 2017, equation 3)."""
    confidence, verdict = probabilities.max(axis=1), probabilities.argmax(axis=1)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = (verdict == truth) - confidence
    return float(np.abs(np.bincount(bins, weights=gaps, minlength=_BINS)).sum() / len(truth))


def calibrated_across_speakers(
    probabilities: np.ndarray, truth: np.ndarray, speakers: Sequence[str]
) -> np.ndarray:
    """Each row under the temperature that other speakers' rows ask for [N, C].

    Raises:
        ValueError: there is one speaker only.
    """
    from sklearn.model_selection import GroupKFold

    found = np.zeros_like(probabilities)
    folds = GroupKFold(min(_FOLDS, len(set(speakers))))
    for others, own in folds.split(probabilities, truth, speakers):
        temperature = fitted_temperature(probabilities[others], truth[others])
        found[own] = tempered(probabilities[own], temperature)
    return found


def margins(probabilities: np.ndarray) -> np.ndarray:
    """Of every class, its probability minus the likeliest other's: [N, C], C > 1."""
    second, first = np.sort(probabilities, axis=1)[:, -2:].T
    leads = probabilities == first[:, None]
    found: np.ndarray = probabilities - np.where(leads, second[:, None], first[:, None])
    return found


def best_threshold(scores: np.ndarray, truth: np.ndarray) -> Threshold:
    """The limit on scores [N, C] that accepts most of the right classes beyond the wrong ones.

    Youden's J (1950, Cancer 3(1)): the share of true classes accepted less that of all others.
    """
    is_right = np.zeros(scores.shape, dtype=bool)
    is_right[np.arange(len(truth)), truth] = True
    right, wrong = np.sort(scores[is_right]), np.sort(scores[~is_right])
    accepted = 1 - np.searchsorted(right, right) / len(right)
    falsely = 1 - np.searchsorted(wrong, right) / len(wrong)
    best = int((accepted - falsely).argmax())
    return Threshold(float(right[best]), float(accepted[best]), float(falsely[best]))
