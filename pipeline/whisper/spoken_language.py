"""Spoken-language identification, restricted to the languages that a recipe may hold.

Whisper chooses among 99 languages and is often wrong on short clips; among the six of a recipe the
question is easier. The softmax over its language tokens is over-confident, so its temperature is
fitted on human speech (temperature scaling, Guo et al. 2017, section 4.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def language_probabilities(
    logits: Sequence[float], languages: Sequence[str], temperature: float
) -> dict[str, float]:
    """Softmax of language logits / temperature, by language."""
    highest = max(logits)
    odds = [math.exp((logit - highest) / temperature) for logit in logits]
    return {name: odd / sum(odds) for name, odd in zip(languages, odds, strict=True)}
