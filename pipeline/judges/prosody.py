"""Whether a take got the prosody that was asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from pipeline.judges.base import Judge, JudgeBatch, JudgeContext, JudgeItem, Scores
from pipeline.judges.usable import usable_only
from pipeline.needs import Price
from pipeline.prosody.target import distance, from_source
from pipeline.records import Failure

_DIMENSIONS = {
    "prosody_distance": "total",
    "prosody_f0_level": "f0_level_st",
    "prosody_f0_range": "f0_range_ratio",
    "prosody_energy": "energy_db",
    "prosody_rate": "rate_ratio",
}
"""Scores, and what `prosody.target.distance` calls them."""


class Prosody(Judge):
    """Distance between the profile that is wanted and the one measured on the final audio.

    `prosody_distance`, and of its dimensions F0 level, F0 range, energy and rate, in units of
    `prosody.target.distance` (0 is exact). The take is measured relative to
    `JudgeItem.reference`, and held against the whole profile whatever its strength. What a clone
    brings of the emotion counts too; it speaks another language than its reference, which moves
    all takes of a line alike. All are NaN where nothing was asked for or the take has no voiced
    frame. It tells whether the prosody arrived, not whether the emotion is heard.
    """

    engine: Literal["prosody"] = "prosody"
    version: ClassVar[int] = 3
    checks: ClassVar[str] = "how far the prosody is from what was asked for"
    price: ClassVar[Price] = Price("cpu", 0.03, "speech_s", "assumed")
    scores: ClassVar[Mapping[str, str]] = {
        "prosody_distance": "prosody that was asked for against what came out: RMS of errors in "
        "eight dimensions, each in units of its own (F0 level 2 semitones); 0 is exact",
        "prosody_f0_level": "error of the F0 level, in units of 2 semitones",
        "prosody_f0_range": "error of the F0 range, in units of a ratio of 1.4",
        "prosody_energy": "error of the level, in units of 3 dB",
        "prosody_rate": "error of the rate of speech, in units of a ratio of 1.16",
    }

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Nothing is loaded but the code that measures."""
        return usable_only(lambda items: [_score(item) for item in items])


def _score(item: JudgeItem) -> Scores | Failure:
    if item.target is None or item.reference is None or item.profile is None:
        return dict.fromkeys(_DIMENSIONS, math.nan)
    errors = distance(item.target, from_source(item.profile, item.reference))
    return {score: errors[dimension] for score, dimension in _DIMENSIONS.items()}
