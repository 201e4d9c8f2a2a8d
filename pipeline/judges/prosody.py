"""The prosody of a take, and whether it is what was asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from pipeline.judges.base import Judge, JudgeBatch, JudgeContext, JudgeItem, Scores
from pipeline.judges.usable import usable_only
from pipeline.needs import Price
from pipeline.prosody.profile import SCALARS
from pipeline.prosody.target import distance, from_source
from pipeline.records import Failure

_DIMENSIONS = {
    "prosody_distance": "total",
    "prosody_f0_level": "f0_level_st",
    "prosody_f0_range": "f0_range_ratio",
    "prosody_energy": "energy_db",
    "prosody_energy_range": "energy_range_ratio",
    "prosody_rate": "rate_ratio",
    "prosody_pauses": "pause_share",
    "prosody_tilt": "tilt_db_oct",
    "prosody_aperiodicity": "aperiodicity_db",
}
"""Scores, and what `prosody.target.distance` calls them."""


class Prosody(Judge):
    """The prosody measured on the final audio, and how far it is from the profile that is wanted.

    Of the take itself: the ten numbers of `pipeline.prosody.profile.SCALARS`, NaN where it has no
    voiced frame; they say what the clip has, also where nothing was asked for.

    `prosody_distance`, and the errors in its eight dimensions, in units of
    `prosody.target.distance` (0 is exact). The take is measured relative to
    `JudgeItem.reference`, and held against the whole profile whatever its strength. What a clone
    brings of the emotion counts too; it speaks another language than its reference, which moves
    all takes of a line alike. All are NaN where nothing was asked for or the take has no voiced
    frame. It tells whether the prosody arrived, not whether the emotion is heard.
    """

    engine: Literal["prosody"] = "prosody"
    version: ClassVar[int] = 4
    checks: ClassVar[str] = "the prosody, and how far it is from what was asked for"
    price: ClassVar[Price] = Price("cpu", 0.03, "speech_s", "assumed")
    scores: ClassVar[Mapping[str, str]] = {
        "prosody_distance": "prosody that was asked for against what came out: RMS of errors in "
        "eight dimensions, each in units of its own (F0 level 2 semitones); 0 is exact",
        "prosody_f0_level": "error of the F0 level, in units of 2 semitones",
        "prosody_f0_range": "error of the F0 range, in units of a ratio of 1.42",
        "prosody_energy": "error of the level, in units of 3 dB",
        "prosody_energy_range": "error of the range of levels, in units of a ratio of 1.22",
        "prosody_rate": "error of the rate of speech, in units of a ratio of 1.16",
        "prosody_pauses": "error of the share of pauses, in units of 0.05",
        "prosody_tilt": "error of the spectral tilt, in units of 1 dB an octave",
        "prosody_aperiodicity": "error of the noise to harmonics, in units of 2 dB",
        **SCALARS,
    }

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Nothing is loaded but the code that measures."""
        return usable_only(lambda items: [_score(item) for item in items])


def _score(item: JudgeItem) -> Scores | Failure:
    return {**_errors(item), **{name: getattr(item.profile, name, math.nan) for name in SCALARS}}


def _errors(item: JudgeItem) -> Scores:
    if item.target is None or item.reference is None or item.profile is None:
        return dict.fromkeys(_DIMENSIONS, math.nan)
    errors = distance(item.target, from_source(item.profile, item.reference))
    return {score: errors[dimension] for score, dimension in _DIMENSIONS.items()}
