"""Whether a take pauses where its source does, and how fast both speak.

The measures are those by which SeamlessExpressive was evaluated (Seamless Communication et al.
2023, arXiv 2312.05187), as its toolkit states them (facebookresearch/stopes, eval/local_prosody,
README). It aligns words by networks; here nothing is transcribed, and the words of both sides are
assumed to run in step. AutoPCP is a judge of its own, `pipeline.judges.autopcp`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from pipeline.judges.base import JUDGE_RATE_HZ, Judge, JudgeBatch, JudgeContext, JudgeItem, Scores
from pipeline.judges.bundled import open_onnx, package_folder
from pipeline.judges.speech import MODEL, PACKAGE, WINDOW, levelled, speech_probabilities
from pipeline.judges.syllables import count_syllables
from pipeline.judges.usable import fault, usable_only
from pipeline.languages import SOURCE, Language
from pipeline.needs import Price
from pipeline.records import Failure

_WINDOW_S = WINDOW / JUDGE_RATE_HZ
_SPEECH = 0.5
"""Probability from which a window is speech (as in stopes, `vad_threshold`)."""
_PAUSE_S = 0.1
"""Shorter gaps are none (stopes, `pause_min_duration`)."""


@dataclass(frozen=True)
class Timing:
    """When a clip speaks.

    `speech_s` without pauses; `pauses`: of each, the share of the speech that comes before it, and
    its length in seconds.
    """

    speech_s: float
    pauses: tuple[tuple[float, float], ...]


class Expressivity(Judge):
    """Pauses and rate of a take, beside those of its source recording.

    By Silero VAD (https://github.com/snakers4/silero-vad, MIT, many languages; see `Speech`), after
    Seamless Communication et al. 2023.

    `pause_agreement` in [0, 1]: every pause counts by its length, with the product of the ratio of
    lengths (the shorter over the longer) and of places (the share of words that are on the same
    side of both) of the pause that it is paired with, or 0; 1 where neither side pauses.
    `pause_s`: all pauses of both sides, the weight of the clip in a mean over a set.
    `syllables_per_s` and `source_syllables_per_s`, without pauses: over a set, their rank
    correlation (Spearman) within a language is the agreement of rates. NaN without a source, or
    where nothing is spoken.
    """

    engine: Literal["expressivity"] = "expressivity"
    version: ClassVar[int] = 3
    checks: ClassVar[str] = "pauses and speaking rate, against the source recording"
    wheels: ClassVar[tuple[str, ...]] = ("silero-vad",)
    price: ClassVar[Price] = Price("cpu", 0.01, "speech_s", "assumed, as speech")
    hears_source: ClassVar[bool] = True
    scores: ClassVar[Mapping[str, str]] = {
        "pause_agreement": "pauses like the source recording's, 0 to 1",
        "pause_s": "pauses of the take and of the source recording, s in all",
        "syllables_per_s": "syllables per second, without pauses",
        "source_syllables_per_s": "the same of the source recording",
    }

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Open the voice activity detector.

        Raises:
            ModuleNotFoundError: silero-vad or onnxruntime is not installed.
        """
        session = open_onnx(package_folder("silero_vad", PACKAGE) / MODEL)

        def score(items: list[JudgeItem]) -> list[Scores | Failure]:
            sources = {
                id(item.source): item.source
                for item in items
                if item.source is not None and fault(item.source) is None
            }
            clips = [*(item.samples for item in items), *sources.values()]
            loud = [levelled(clip) for clip in clips]
            timings = [timing(one) for one in speech_probabilities(session, loud)]
            of_source = dict(zip(sources, timings[len(items) :], strict=True))
            return [
                _score(item, take, of_source.get(id(item.source)))
                for item, take in zip(items, timings, strict=False)
            ]

        return usable_only(score)


def timing(probabilities: np.ndarray) -> Timing | None:
    """When a clip speaks, by the probability of speech in its windows [N]; None if never."""
    speaks = np.flatnonzero(probabilities >= _SPEECH)
    if not len(speaks):
        return None
    gaps = np.diff(speaks) - 1
    pauses = tuple(
        ((place + 1) / len(speaks), float(gap * _WINDOW_S))
        for place, gap in enumerate(gaps.tolist())
        if gap * _WINDOW_S >= _PAUSE_S
    )
    # Gaps that are too short for a pause are part of the speech.
    short_s = float(gaps.sum() * _WINDOW_S) - sum(length for _, length in pauses)
    return Timing(len(speaks) * _WINDOW_S + short_s, pauses)


def pause_agreement(
    left: Sequence[tuple[float, float]], right: Sequence[tuple[float, float]]
) -> float:
    """Agreement in [0, 1] of the pauses (place, seconds) of two clips: `wmean_joint_score`.

    Pauses are paired so that the sum of their scores is the largest. Where the words of both sides
    run in step, the share of words that lie between two places is the difference of the places.
    """
    from scipy.optimize import linear_sum_assignment

    weight = sum(length for _, length in (*left, *right))
    if not weight:
        return 1.0
    if not left or not right:
        return 0.0
    joint = np.array(
        [[(1 - abs(p - q)) * min(a, b) / max(a, b) for q, b in right] for p, a in left]
    )
    pairs = zip(*linear_sum_assignment(-joint), strict=True)
    agreed = sum(joint[i, j] * (left[i][1] + right[j][1]) for i, j in pairs)
    return float(agreed / weight)


def _score(item: JudgeItem, take: Timing | None, source: Timing | None) -> Scores | Failure:
    scores = dict.fromkeys(Expressivity.scores, math.nan)
    if take is not None:
        scores["syllables_per_s"] = _rate(item.text, item.language, take)
    if source is not None and item.source_text is not None:
        scores["source_syllables_per_s"] = _rate(item.source_text, SOURCE, source)
    if take is not None and source is not None:
        scores["pause_agreement"] = pause_agreement(source.pauses, take.pauses)
        scores["pause_s"] = sum(length for _, length in (*source.pauses, *take.pauses))
    return {name: float(value) for name, value in scores.items()}


def _rate(text: str, language: Language, spoken: Timing) -> float:
    return count_syllables(text, language) / spoken.speech_s or math.nan
