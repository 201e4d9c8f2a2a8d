"""Levels of a take: full scale, peak, RMS, and silence at the ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from pipeline.judges.base import JUDGE_RATE_HZ, Judge, JudgeBatch, JudgeContext, Scores
from pipeline.judges.usable import usable_only

_STEP = 2.0**-15
"""One step of 16 bits; a sample this near to full scale counts as clipped."""

_FLOOR_DBFS = -120.0
"""What digital silence reads: its level has no logarithm, and 16 bits end at -90 dBFS."""

_FRAME = JUDGE_RATE_HZ // 100


class Clipping(Judge):
    """Levels of the waveform; whether what is heard is speech is the `speech` judge's matter.

    `clipped_share` of samples within one 16-bit step of full scale; `peak_dbfs`; `rms_dbfs`, re a
    constant of 1 (a full-scale sine reads -3 dB); `leading_silence_s` and `trailing_silence_s`,
    in frames of 10 ms. Digital silence reads -120 dBFS and is all leading and all trailing.
    """

    engine: Literal["clipping"] = "clipping"
    version: ClassVar[int] = 1
    checks: ClassVar[str] = "clipped samples, level, and silence at the ends"
    scores: ClassVar[Mapping[str, str]] = {
        "clipped_share": "samples at full scale, as a share",
        "peak_dbfs": "largest sample, dB of full scale",
        "rms_dbfs": "level, dB of full scale",
        "leading_silence_s": "silence before the first sound, s",
        "trailing_silence_s": "silence behind the last sound, s",
    }
    silence_db: Annotated[float, Field(gt=0, le=100)] = 40.0
    """A frame this far below the loudest one is silent (assumed; librosa trims at 60)."""

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Nothing is loaded: these are sums."""
        return usable_only(lambda items: [self._score(item.samples) for item in items])

    def _score(self, samples: np.ndarray) -> Scores:
        magnitude = np.abs(samples.astype(np.float64))
        leading_s, trailing_s = _silence_s(magnitude, self.silence_db)
        return {
            "clipped_share": float(np.mean(magnitude >= 1 - _STEP)),
            "peak_dbfs": _dbfs(float(magnitude.max())),
            "rms_dbfs": _dbfs(float(np.sqrt(np.mean(magnitude**2)))),
            "leading_silence_s": leading_s,
            "trailing_silence_s": trailing_s,
        }


def _dbfs(amplitude: float) -> float:
    return max(20 * float(np.log10(amplitude)), _FLOOR_DBFS) if amplitude else _FLOOR_DBFS


def _silence_s(magnitude: np.ndarray, silence_db: float) -> tuple[float, float]:
    """Seconds before the first and after the last frame that is not silent."""
    starts = np.arange(0, len(magnitude), _FRAME)
    lengths = np.diff(np.append(starts, len(magnitude)))
    power = np.add.reduceat(magnitude**2, starts) / lengths
    heard = np.flatnonzero(power > power.max() * 10 ** (-silence_db / 10))
    if not len(heard):
        return len(magnitude) / JUDGE_RATE_HZ, len(magnitude) / JUDGE_RATE_HZ
    end = int(starts[heard[-1]] + lengths[heard[-1]])
    return int(starts[heard[0]]) / JUDGE_RATE_HZ, (len(magnitude) - end) / JUDGE_RATE_HZ
