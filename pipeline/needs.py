"""What an engine needs of a machine: what has to be there before it loads, and time on a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Device = Literal["cpu", "cuda"]
Unit = Literal["line", "speech_s"]


class Price(NamedTuple):
    """Seconds that a device works for a line, or for a second of speech, and who says so."""

    device: Device
    seconds: float
    per: Unit
    source: str


SUMS = Price("cpu", 0.0, "speech_s", "counts and sums")
"""Of what costs next to nothing."""
CLIP_S = 3.0
"""Length of an utterance, for prices that are of clips (assumed)."""


@dataclass(frozen=True)
class Lack:
    """What is missing, and what a person can type or do to have it."""

    what: str
    fix: str
