"""How long a take is: in seconds, re its source, and how fast it speaks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from pipeline.judges.base import Judge, JudgeBatch, JudgeContext, JudgeItem, Scores
from pipeline.judges.usable import usable_only
from pipeline.records import Failure


class Duration(Judge):
    """Length and rate of a take.

    `duration_s`; `duration_ratio` to the source recording (NaN where there is none; STEB,
    arXiv 2606.25529, counts +-0.2 and +-0.4); `chars_per_s`, characters other than white space;
    `phones_per_s` (NaN where the text's phones can't be counted); `hit_length_cap`, 1 where the
    engine was cut off at the longest that it may speak, which it does when it can't find the end of
    a text, else 0. Pauses and silence at the ends are part of the duration: the rate of speech
    without them is the `prosody` judge's matter.
    """

    engine: Literal["duration"] = "duration"
    version: ClassVar[int] = 2
    checks: ClassVar[str] = (
        "length and speaking rate, against the source recording where there is one"
    )
    scores: ClassVar[Mapping[str, str]] = {
        "duration_s": "length with the silence at its ends, s",
        "duration_ratio": "length over that of the source recording, both with silence",
        "chars_per_s": "characters of the text, without spaces, per second of the whole clip",
        "phones_per_s": "phones of the text per second of the whole clip",
        "hit_length_cap": "1 if the engine was cut off at its longest, else 0",
    }

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Nothing is loaded: these are counts."""
        return usable_only(_score)


def _score(items: list[JudgeItem]) -> list[Scores | Failure]:
    return [
        {
            "duration_s": item.duration_s,
            "duration_ratio": _over(item.duration_s, item.source_duration_s),
            "chars_per_s": len("".join(item.text.split())) / item.duration_s,
            "phones_per_s": _per_second(item),
            "hit_length_cap": float(item.hit_length_cap),
        }
        for item in items
    ]


def _over(value: float, base: float | None) -> float:
    return value / base if base else math.nan


def _per_second(item: JudgeItem) -> float:
    return math.nan if item.phone_count is None else item.phone_count / item.duration_s
