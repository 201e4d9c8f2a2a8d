"""How sure one may be of what listeners heard: an interval over listeners and sentences."""

from __future__ import annotations

import numpy as np

_RESAMPLES = 1000
_TRIES = 100
"""Rounds of draws, of which each may lack an emotion."""


def recalls(
    meant: np.ndarray, heard: np.ndarray, listener: np.ndarray, source: np.ndarray
) -> tuple[float, tuple[float, float]]:
    """Mean recall (UAR) of answers [N], and its 95 % interval, as shares.

    By percentile bootstrap: sentences are drawn within their emotion, and where several listened
    also the listeners, independently (the pigeonhole bootstrap, Owen 2007). Of a single listener
    it says nothing about others; of a few it is too narrow, since few are drawn from. Where each
    emotion has a single sentence nothing is known of others: 0 to 1.
    """
    # Rows are listeners, columns sentences, of which each has one emotion.
    _, who = np.unique(listener, return_inverse=True)
    pairs, which = np.unique(np.stack([meant.astype(str), source]), axis=1, return_inverse=True)
    which = which.reshape(-1)
    _, emotion = np.unique(pairs[0], return_inverse=True)
    given = np.zeros((int(who.max()) + 1, len(emotion)))
    right = np.zeros_like(given)
    np.add.at(given, (who, which), 1.0)
    np.add.at(right, (who, which), (meant == heard).astype(float))
    of_emotion = np.eye(int(emotion.max()) + 1)[emotion]
    recall = (right.sum(axis=0) @ of_emotion) / (given.sum(axis=0) @ of_emotion)
    if (of_emotion.sum(axis=0) == 1).all():
        return float(recall.mean()), (0.0, 1.0)
    return float(recall.mean()), _interval(given, right, of_emotion)


def _interval(given: np.ndarray, right: np.ndarray, of_emotion: np.ndarray) -> tuple[float, float]:
    """The interval, from answers and right ones [listeners, sentences]."""
    random = np.random.default_rng(0)
    found: list[np.ndarray] = []
    for _ in range(_TRIES):
        listeners = _times(np.ones((len(given), 1)), random)
        sentences = _times(of_emotion, random)
        answers = ((listeners @ given) * sentences) @ of_emotion
        hits = ((listeners @ right) * sentences) @ of_emotion
        # Of a draw that lacks an emotion it would be another mean.
        whole = (answers > 0).all(axis=1)
        found.append((hits[whole] / answers[whole]).mean(axis=1))
        if sum(map(len, found)) >= _RESAMPLES:
            low, high = np.quantile(np.concatenate(found)[:_RESAMPLES], [0.025, 0.975])
            return float(low), float(high)
    return 0.0, 1.0


def _times(strata: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """How often each of K is drawn [draws, K], with replacement within its stratum of [K, S]."""
    times = np.zeros((_RESAMPLES, len(strata)))
    for members in map(np.flatnonzero, strata.T):
        even = np.full(len(members), 1 / len(members))
        times[:, members] = random.multinomial(len(members), even, size=_RESAMPLES)
    return times
