"""How far listeners agree beyond chance."""

from __future__ import annotations

import numpy as np


def krippendorff_alpha(counts: np.ndarray) -> float:
    """Krippendorff's alpha of nominal answers, from counts [clips, classes].

    1 where all agree, 0 where they agree as by chance; clips with one answer say nothing and are
    left out. NaN where no clip has two answers, or all answers of all clips are the same.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C (nominal data, any
    number of observers, missing data).
    """
    answers = counts.sum(axis=1)
    paired, answers = counts[answers > 1], answers[answers > 1]
    total = answers.sum()
    classes = paired.sum(axis=0)
    expected = total * total - (classes * classes).sum()
    if expected == 0:
        return float("nan")
    disagreeing = answers * answers - (paired * paired).sum(axis=1)
    observed = (disagreeing / (answers - 1)).sum()
    return float(1 - (total - 1) * observed / expected)
