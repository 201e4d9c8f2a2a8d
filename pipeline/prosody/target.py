"""What is asked of a take: how it is to differ from neutral speech of the same voice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from pipeline.emotions import EMOTIONS, Emotion
from pipeline.prosody.curves import curves
from pipeline.prosody.frames import BANDS, band_centres_hz
from pipeline.prosody.numbers import Numbers
from pipeline.prosody.profile import POINTS, Profile, tilt_db_oct
from pipeline.prosody.published import CHANGES, SLOPE_SD_ST, TILT_SD_DB_OCT, VARIATION, Change


@dataclass(frozen=True)
class Target(Numbers):
    """Differences from neutral: `_st` and `_db` by subtraction, `_ratio` by division.

    Attributes:
        f0_level_st, energy_db, tilt_db_oct, aperiodicity_db, pause_share, voiced_share:
            Differences of the profile's numbers of that name.
        f0_range_ratio, energy_range_ratio, rate_ratio: Ratios of the profile's ranges and rate;
            that of a clip's F0 is within `F0_RANGE_RATIO`.
        f0_contour_st, energy_contour_db: The movement itself [POINTS], as in the profile: a
            phrase has its own, so a neutral phrase's is no ground to subtract.
        f0_yield: Share of the rendition's own F0 movement that gives way to `f0_contour_st`.
        voiced_bands_db, unvoiced_bands_db: Differences of the mean mel spectra [BANDS].
    """

    f0_level_st: float
    f0_range_ratio: float
    energy_db: float
    energy_range_ratio: float
    rate_ratio: float
    pause_share: float
    tilt_db_oct: float
    aperiodicity_db: float
    voiced_share: float
    f0_yield: float
    f0_contour_st: tuple[float, ...]
    energy_contour_db: tuple[float, ...]
    voiced_bands_db: tuple[float, ...]
    unvoiced_bands_db: tuple[float, ...]


ASKED: Mapping[str, str] = {
    "f0_level_st": "f0_level_st",
    "f0_range_st": "f0_range_ratio",
    "energy_db": "energy_db",
    "energy_range_db": "energy_range_ratio",
    "rate_phones_s": "rate_ratio",
    "pause_share": "pause_share",
    "tilt_db_oct": "tilt_db_oct",
    "aperiodicity_db": "aperiodicity_db",
    "voiced_share": "voiced_share",
}
"""The numbers of a profile that a target asks for, and what they are called in it."""

_YIELD = 0.5
"""Share of its own accents that a take gives up for those of its source clip (the rest keeps word
accents and tones): chosen on RAVDESS."""

_SHARED = 0.75
"""Share of a clip's spectrum that gives way to that of its emotion: chosen on RAVDESS, with the
curves of nEMO alone, and the other way round (benchmarks/RESULTS.md)."""

F0_RANGE_RATIO = (0.25, 4.0)
"""Least and most that a take's F0 range is asked to be of its own neutral one (assumed): four times
the 6 st of neutral speech is two octaves, about all that a voice speaks in, and a neutral clip said
on one note has no range to hold others against."""

_ERROR_UNITS: dict[str, float] = {
    "f0_level_st": 2.0,
    "f0_range_ratio": 0.35,
    "energy_db": 3.0,
    "energy_range_ratio": 0.2,
    "rate_ratio": 0.15,
    "pause_share": 0.05,
    "tilt_db_oct": 1.0,
    "aperiodicity_db": 2.0,
}
"""An error of one unit in each dimension (ratios as natural logarithms): assumed, about a third of
the spread of acted emotion."""


def from_source(profile: Profile, neutral: Profile) -> Target:
    """What a source clip asks for: its profile relative to its speaker's neutral one."""

    def minus(name: str) -> float:
        return float(getattr(profile, name) - getattr(neutral, name))

    def over(name: str) -> float:
        return float(max(getattr(profile, name), 1e-3) / max(getattr(neutral, name), 1e-3))

    def minus_each(name: str) -> tuple[float, ...]:
        own, other = getattr(profile, name), getattr(neutral, name)
        if not (own and other):  # a clip without unvoiced speech asks for no change of it
            return (0.0,) * BANDS
        return tuple(float(value) for value in np.subtract(own, other))

    return Target(
        f0_level_st=minus("f0_level_st"),
        f0_range_ratio=float(np.clip(over("f0_range_st"), *F0_RANGE_RATIO)),
        energy_db=minus("energy_db"),
        energy_range_ratio=over("energy_range_db"),
        rate_ratio=over("rate_phones_s"),
        pause_share=minus("pause_share"),
        tilt_db_oct=minus("tilt_db_oct"),
        aperiodicity_db=minus("aperiodicity_db"),
        voiced_share=minus("voiced_share"),
        f0_yield=_YIELD,
        f0_contour_st=profile.f0_contour_st,
        energy_contour_db=profile.energy_contour_db,
        voiced_bands_db=minus_each("voiced_bands_db"),
        unvoiced_bands_db=minus_each("unvoiced_bands_db"),
    )


def as_people_do(target: Target, emotion: Emotion) -> Target:
    """The target of a clip with most of its spectrum given up for that of its emotion (`curves`).

    One clip differs from neutral speech by its words, its room and its level too, and by more than
    by its emotion; F0, energy, rate and pauses stay its own.
    """
    shared = curves()[emotion]

    def mixed(own: Sequence[float], common: Sequence[float]) -> tuple[float, ...]:
        return _plus(1 - _SHARED, own, _SHARED * np.array(common))

    common_tilt_db_oct = tilt_db_oct(np.array(shared.voiced_bands_db))
    return replace(
        target,
        tilt_db_oct=(1 - _SHARED) * target.tilt_db_oct + _SHARED * common_tilt_db_oct,
        voiced_bands_db=mixed(target.voiced_bands_db, shared.voiced_bands_db),
        unvoiced_bands_db=mixed(target.unvoiced_bands_db, shared.unvoiced_bands_db),
    )


def sparing_tones(target: Target) -> Target:
    """The target of a clip for a language in which F0 tells words apart (`languages.TONAL`).

    The take gives up none of its own movement, which carries its tones, for the accents of another
    language's words; of the clip's it gets the straight line through it (least squares).
    """
    contour = np.array(target.f0_contour_st)
    if contour.size < 2:
        return replace(target, f0_yield=0.0)
    places = np.arange(contour.size)
    line = np.polyval(np.polyfit(places, contour, 1), places)
    return replace(target, f0_yield=0.0, f0_contour_st=tuple(line.tolist()))


def from_emotion(emotion: Emotion, seed: int) -> Target:
    """The profile of an emotion (see `published` and `curves`), varied as human speakers vary.

    The same emotion and seed give the same target.
    """
    random = np.random.default_rng([seed, EMOTIONS.index(emotion)])
    strength = float(np.clip(random.normal(1.0, 0.2), 0.5, 1.5))
    change = _vary(CHANGES[emotion], strength, random)
    measured = curves()[emotion]
    tilted = _noise(TILT_SD_DB_OCT, random) * np.log2(band_centres_hz() / 1000.0)
    sloped = _noise(SLOPE_SD_ST, random) * np.linspace(-0.5, 0.5, POINTS)
    voiced = _plus(strength, measured.voiced_bands_db, tilted - tilted.mean())
    return Target(
        **asdict(change),
        tilt_db_oct=tilt_db_oct(np.array(voiced)),
        f0_yield=0.0,
        f0_contour_st=_plus(strength, measured.f0_contour_st, sloped),
        energy_contour_db=(0.0,) * POINTS,
        voiced_bands_db=voiced,
        unvoiced_bands_db=_plus(strength, measured.unvoiced_bands_db, tilted - tilted.mean()),
    )


def _vary(change: Change, strength: float, random: np.random.Generator) -> Change:
    """A change as another speaker makes it: weaker or stronger in all, different in each."""
    varied = {}
    for name, value in asdict(change).items():
        noise = _noise(VARIATION[name], random)
        if name.endswith("_ratio"):
            varied[name] = float(value**strength * np.exp(noise))
        else:
            varied[name] = strength * value + noise
    return Change(**varied)


def _noise(deviation: float, random: np.random.Generator) -> float:
    return deviation * float(np.clip(random.normal(), -2, 2))


def _plus(strength: float, curve: Sequence[float], other: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in strength * np.array(curve) + other)


def asked_of(target: Target, neutral: Profile) -> dict[str, float]:
    """The numbers of the profile that a take has if it gets all of what is asked for (`ASKED`)."""
    numbers = {}
    for name, change in ASKED.items():
        before, by = getattr(neutral, name), getattr(target, change)
        after = before * by if change.endswith("_ratio") else before + by
        numbers[name] = float(np.clip(after, 0, 1)) if name.endswith("_share") else float(after)
    return numbers


def distance(asked: Target, got: Target) -> dict[str, float]:
    """Error by dimension, in our units (`_ERROR_UNITS`), and `total`, their RMS."""
    errors = {}
    for name, unit in _ERROR_UNITS.items():
        wanted, found = getattr(asked, name), getattr(got, name)
        if name.endswith("_ratio"):
            wanted, found = np.log(wanted), np.log(found)
        errors[name] = float(abs(wanted - found) / unit)
    errors["total"] = float(np.sqrt(np.mean(np.square(list(errors.values())))))
    return errors
