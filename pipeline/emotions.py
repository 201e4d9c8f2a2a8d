"""The vocabulary of emotions, and the order in which they are numbered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Emotion = Literal["angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"]

EMOTIONS: tuple[Emotion, ...] = get_args(Emotion)

LabelMap = Mapping[str, Emotion]
"""A corpus' own labels, lower case, and the emotion each stands for."""


OUR_LABELS: LabelMap = {emotion: emotion for emotion in EMOTIONS}
"""The mapping of a corpus that uses our names."""


def emotion_id(emotion: Emotion) -> int:
    """Index of the emotion in `EMOTIONS`, the class number of the published column."""
    return EMOTIONS.index(emotion)


def map_label(label: str, labels: LabelMap) -> Emotion | None:
    """Our emotion for a corpus' label, or None when the mapping has none (never a guess)."""
    return labels.get(label.strip().lower())
