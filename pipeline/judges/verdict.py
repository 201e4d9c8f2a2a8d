"""What a classifier of emotions says of a take, as three numbers."""

from __future__ import annotations

import numpy as np


def verdict(probabilities: np.ndarray, wanted: int) -> tuple[float, float, float]:
    """Probability, margin and entropy of a distribution [N], N > 1, in which one was wanted.

    The margin is the wanted probability minus the likeliest other one; the entropy is a share of
    the largest possible: 0 is sure, 1 is a guess among all.
    """
    others = np.delete(probabilities, wanted)
    safe = np.maximum(probabilities, 1e-12)
    entropy = -(safe * np.log(safe)).sum() / np.log(len(probabilities))
    return (
        float(probabilities[wanted]),
        float(probabilities[wanted] - others.max()),
        float(entropy),
    )
