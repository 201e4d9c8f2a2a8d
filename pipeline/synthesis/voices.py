"""The voices of espeak-ng: a variant, a pitch offset and a vocal-tract ratio make a speaker."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from pipeline.records import Gender
from pipeline.synthesis.choice import pick

_VARIANTS: dict[str, tuple[str, ...]] = {
    "female": ("f1", "f2", "f3", "anika", "Annie", "Andrea", "belinda", "steph"),
    "male": ("m1", "m2", "Diogo", "m7", "m8", "Andy", "Gene", "robert"),
}
"""espeak-ng variants with a plain voice: no whisper, no robot, no strong echo."""

_BODIES: dict[str, tuple[tuple[float, float], ...]] = {
    "female": ((0.0, 1.0), (-2.0, 0.89), (2.0, 1.11)),
    "male": ((2.0, 1.0), (0.5, 0.89), (4.0, 1.11)),
}
"""Pitch offset (st) and vocal-tract ratio go together: a longer tract has a lower voice.

The male variants are raised: at 70 to 100 Hz they lie under human male voices."""

_NAME = re.compile(r"(?P<variant>\w+)-p(?P<pitch>[+-]\d+\.\d)-v(?P<tract>\d\.\d\d)")


@dataclass(frozen=True)
class Voice:
    """A speaker of espeak-ng: `tract` multiplies every formant (1 = the variant's own)."""

    variant: str
    pitch_st: float
    tract: float

    @property
    def name(self) -> str:
        """The string that determines the voice, like `f2-p+1.5-v0.97`."""
        return f"{self.variant}-p{self.pitch_st:+.1f}-v{self.tract:.2f}"


def parse_voice(name: str) -> Voice:
    """The voice of a name like `f2-p+1.5-v0.97`.

    Raises:
        ValueError: the name has another form, or a variant that is none of ours (espeak-ng would
            speak on in its default voice).
    """
    match = _NAME.fullmatch(name)
    variants = [variant for group in _VARIANTS.values() for variant in group]
    if match is None or match["variant"] not in variants:
        raise ValueError(
            f"voice {name!r} is not of the form VARIANT-p+0.0-v1.00 with a variant of {variants}"
        )
    return Voice(match["variant"], float(match["pitch"]), float(match["tract"]))


def voices_of(gender: Gender) -> tuple[str, ...]:
    """Names of all voices of a gender; of both where the gender is unknown."""
    genders = ("female", "male") if gender == "unknown" else (gender,)
    return tuple(
        Voice(variant, pitch_st, tract).name
        for one in genders
        for pitch_st, tract in _BODIES[one]
        for variant in _VARIANTS[one]
    )


def choose_voice(speaker: str, gender: Gender, taken: Collection[str]) -> str:
    """A voice for a speaker, of its gender; see `pick`."""
    return pick(voices_of(gender), speaker, taken)
