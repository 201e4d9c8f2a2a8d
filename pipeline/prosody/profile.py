"""The prosody of a clip as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import soxr
from scipy.signal import find_peaks

from pipeline.prosody.frames import RATE, Frames, band_centres_hz, bands_db, cut
from pipeline.prosody.numbers import Numbers
from pipeline.prosody.timing import pauses

HOP_S = 0.01
POINTS = 16
"""Points of a contour, evenly over the time from the first to the last speech."""

_PHONES_PER_PEAK = 2.5
"""Phones a syllable (assumed), where a text is not known and syllables are counted instead."""

_LEAST_UNVOICED_S = 0.04
"""With no more unvoiced speech than this, its spectrum is not known (assumed)."""

SCALARS: Mapping[str, str] = {
    "f0_level_st": "median F0, semitones above 27.5 Hz",
    "f0_range_st": "10th to 90th percentile of F0, semitones",
    "energy_db": "level of the speech without its pauses, dB of full scale",
    "energy_range_db": "10th to 90th percentile of the level of speech frames, dB",
    "rate_phones_s": "phones a second, without pauses",
    "pause_share": "pauses of 0.15 s or longer, as a share of the time between the first and the "
    "last speech",
    "tilt_db_oct": "slope of the mean spectrum of voiced frames, 100 Hz to 8 kHz, dB an octave",
    "aperiodicity_db": "noise to harmonics of voiced frames, dB",
    "jitter_st": "median change of the slope of F0 from one frame of 10 ms to the next, semitones",
    "voiced_share": "voiced frames, as a share of the speech without its pauses",
}
"""The numbers of a profile that are no curve, and what each is."""


@dataclass(frozen=True)
class Profile(Numbers):
    """What is measured on a clip; contours and spectra are relative to the clip's own level.

    What its numbers are, says `SCALARS`. The F0 level counts semitones as eGeMAPS does (Eyben et
    al. 2016), aperiodicity is Boersma 1993, eq. 4, negated, and jitter is that of the contour, and
    not of cycles as Praat's is.

    Attributes:
        f0_contour_st: F0 re its median, in semitones [POINTS].
        energy_contour_db: Energy re its level, in dB [POINTS].
        voiced_bands_db: Mean mel spectrum of voiced frames re its mean, in dB [BANDS].
        unvoiced_bands_db: Mean mel spectrum of unvoiced speech frames re the same, in dB [BANDS];
            empty of a clip that has next to none.
    """

    f0_level_st: float
    f0_range_st: float
    energy_db: float
    energy_range_db: float
    rate_phones_s: float
    pause_share: float
    tilt_db_oct: float
    aperiodicity_db: float
    jitter_st: float
    voiced_share: float
    f0_contour_st: tuple[float, ...]
    energy_contour_db: tuple[float, ...]
    voiced_bands_db: tuple[float, ...]
    unvoiced_bands_db: tuple[float, ...]


def measure(samples: np.ndarray, sampling_rate: int, phone_count: int | None) -> Profile:
    """Measure a clip, float32 [T] in [-1, 1].

    Without `phone_count` the rate is estimated from the peaks of the energy, one a syllable.

    Raises:
        ValueError: the clip is too short, silent, not finite, or has no voiced frame.
    """
    return profile_of(cut(to_rate(samples, sampling_rate), HOP_S), phone_count)


def to_rate(samples: np.ndarray, sampling_rate: int) -> np.ndarray:
    """The clip at 16 kHz."""
    if sampling_rate == RATE:
        return samples
    resampled: np.ndarray = soxr.resample(samples, sampling_rate, RATE)
    return resampled


def profile_of(frames: Frames, phone_count: int | None) -> Profile:
    """The profile of a clip's frames."""
    voiced, speech = frames.voiced, frames.active
    f0_st = 12 * np.log2(frames.f0_hz[voiced] / 27.5)
    level_st = float(np.median(f0_st))
    level_db = active_level_db(frames)
    pause_s = float(pauses(frames.active, frames.hop_s).sum() * frames.hop_s)
    span_s = (frames.last - frames.first + 1) * frames.hop_s
    spoken_s = max(span_s - pause_s, frames.hop_s)
    bands = bands_db(frames.envelope)
    voiced_bands = bands[voiced].mean(axis=0)
    unvoiced = speech & ~voiced
    phones = phone_count or _PHONES_PER_PEAK * _energy_peaks(frames)
    return Profile(
        f0_level_st=level_st,
        f0_range_st=_range(f0_st),
        energy_db=level_db,
        energy_range_db=_range(frames.energy_db[speech]),
        rate_phones_s=phones / spoken_s,
        pause_share=pause_s / span_s,
        tilt_db_oct=tilt_db_oct(voiced_bands),
        aperiodicity_db=_aperiodicity_db(frames.strength[voiced]),
        jitter_st=_jitter_st(frames),
        voiced_share=float(voiced.sum() * frames.hop_s / spoken_s),
        f0_contour_st=_contour(
            frames, voiced, 12 * np.log2(np.maximum(frames.f0_hz, 1) / 27.5) - level_st
        ),
        energy_contour_db=_contour(frames, speech, frames.energy_db - level_db),
        voiced_bands_db=tuple(voiced_bands - voiced_bands.mean()),
        unvoiced_bands_db=_mean_bands(bands[unvoiced] - voiced_bands.mean(), frames.hop_s),
    )


def _mean_bands(bands: np.ndarray, hop_s: float) -> tuple[float, ...]:
    """Mean of frames [F, BANDS]; empty where they are too few to say anything."""
    return tuple(bands.mean(axis=0)) if len(bands) * hop_s > _LEAST_UNVOICED_S else ()


def active_level_db(frames: Frames) -> float:
    """Level of the speech frames, in dB re full scale."""
    return float(10 * np.log10(np.mean(10 ** (frames.energy_db[frames.active] / 10))))


def _range(values: np.ndarray) -> float:
    low, high = np.percentile(values, [10, 90])
    return float(high - low)


def _energy_peaks(frames: Frames) -> int:
    """Syllables by peaks of the energy, 2 dB over the dip before (de Jong and Wempe 2009)."""
    peaks, _ = find_peaks(frames.energy_db, prominence=2.0, distance=round(0.08 / frames.hop_s))
    return max(1, int(frames.voiced[peaks].sum()))


def tilt_db_oct(voiced_bands: np.ndarray) -> float:
    """Slope of mel bands [BANDS] in dB, in dB an octave; that of a sum is the sum of slopes."""
    return float(np.polyfit(np.log2(band_centres_hz()), voiced_bands, 1)[0])


def _aperiodicity_db(strength: np.ndarray) -> float:
    r = np.clip(np.median(strength), 1e-4, 1 - 1e-4)
    return float(10 * np.log10((1 - r) / r))


def _jitter_st(frames: Frames) -> float:
    step = max(1, round(HOP_S / frames.hop_s))  # closer frames would differ by less
    f0_st = 12 * np.log2(np.maximum(frames.f0_hz[::step], 1.0))
    voiced = frames.voiced[::step]
    whole = voiced[:-2] & voiced[1:-1] & voiced[2:]
    if not whole.any():
        return 0.0
    return float(np.median(np.abs(np.diff(f0_st, 2))[whole]))


def _contour(frames: Frames, where: np.ndarray, values: np.ndarray) -> tuple[float, ...]:
    """Means of the values over equal parts of the speech [POINTS], gaps bridged by lines."""
    at = np.arange(frames.first, frames.last + 1)
    known = np.flatnonzero(where)
    bridged = np.interp(at, known, values[known])
    edges = np.linspace(0, len(at), POINTS + 1)
    sums = np.concatenate([[0.0], np.cumsum(bridged)])
    total = np.interp(edges, np.arange(len(sums)), sums)
    return tuple(np.diff(total) / np.maximum(np.diff(edges), 1e-9))
