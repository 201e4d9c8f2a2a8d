"""What no judge can hear becomes a failure of that take alone; the rest goes on as a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.judges.base import Answer, JudgeBatch, JudgeItem
from pipeline.records import Failure

Score = Callable[[list[JudgeItem]], "Sequence[Answer | Failure]"]
"""Scores items whose samples are known to be there and finite, in their order."""


def usable_only(score: Score) -> JudgeBatch:
    """A judge's batch function around `score`, which never sees a broken waveform."""

    def judge_batch(items: Sequence[JudgeItem]) -> list[Answer | Failure]:
        faults = [fault(item.samples) for item in items]
        scored = iter(score([item for item, bad in zip(items, faults, strict=True) if not bad]))
        return [Failure("judge", bad) if bad else next(scored) for bad in faults]

    return judge_batch


def fault(samples: np.ndarray) -> str | None:
    """Why a waveform can't be judged, in one sentence; None where it can."""
    if samples.ndim != 1:
        return f"the take has {samples.ndim} dimensions; a judge hears mono samples [T]"
    if not len(samples):
        return "the take has no samples"
    unsound = int(np.count_nonzero(~np.isfinite(samples)))
    if unsound:
        return f"{unsound} of the take's {len(samples)} samples are not finite"
    return None
