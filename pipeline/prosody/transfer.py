"""Put a target on a rendition by WORLD (Morise, Yokomori and Ozawa 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import soxr
from scipy.signal import butter, sosfilt

from pipeline.prosody.frames import FFT, RATE, band_centres_hz, cut, frame_energy_db, with_creak
from pipeline.prosody.profile import POINTS, Profile, profile_of, to_rate
from pipeline.prosody.target import F0_RANGE_RATIO, Target
from pipeline.prosody.timing import time_map
from pipeline.prosody.vocoder import minimum_phase, synthesize
from pipeline.synthesis.base import Speech

NEUTRAL_DB = -38.0
"""Level of neutral speech in dB re full scale unless told (assumed), about that of RAVDESS.

Acted anger is up to 25 dB louder than neutral speech, with peaks 12 dB over its own level: this
leaves room for both. Published profiles move the level by less and can start higher."""

PEAK = 0.97
HOP_S = 0.005

_FADE_S = 0.02
_MAX_BAND_DB = 18.0

_F0_HZ = (70.0, 640.0)
"""What a take's pitch is held within: what `pitch` can measure."""

_HIGH_PASS_HZ = 60.0
"""Below this a take is filtered: pulses of one sign have a mean, which would rumble under the voice
with every syllable. WORLD takes it out of each pulse; here once a take (order 4, assumed)."""

_LOWEST_ST = 18.5
"""Lowest median F0 of a take: 80 Hz, in semitones above 27.5 Hz (assumed)."""

_FOLLOW = 0.6
"""Share of the source's energy movement that is followed, as some of it is that of its words:
chosen on RAVDESS."""


@dataclass(frozen=True)
class Shaped:
    """Takes of one rendition.

    Attributes:
        takes: Waveforms, float32 [T] each.
        sampling_rate: Of the takes, in Hz.
        reference: Profile of the rendition before the transfer, brought to the neutral level.
        limited_db: How far each take was turned down lest it clip; 0 where it had room.
    """

    takes: tuple[np.ndarray, ...]
    sampling_rate: int
    reference: Profile
    limited_db: tuple[float, ...]


def transfer(
    speech: Speech,
    target: Target,
    strengths: Sequence[float],
    seeds: Sequence[int],
    sampling_rate: int = RATE,
    neutral_dbfs: float = NEUTRAL_DB,
) -> Shaped:
    """Takes of a rendition at several strengths (0 = neutral, 1 = as the source) from one analysis.

    `neutral_dbfs` is the level of a take at strength 0, in dB re full scale: the higher, the
    sooner a loud take is turned down lest it clip (`Shaped.limited_db`).

    Raises:
        ValueError: the rendition has no voiced frame, or so few that none is left at the wanted
            rate; or strengths and seeds differ in number.
    """
    shaper = Shaper(speech, neutral_dbfs)
    made = [
        shaper.take(target, strength, seed) for strength, seed in zip(strengths, seeds, strict=True)
    ]
    return Shaped(
        takes=tuple(_at_rate(samples, sampling_rate) for samples, _ in made),
        sampling_rate=sampling_rate,
        reference=shaper.reference,
        limited_db=tuple(limited for _, limited in made),
    )


class Shaper:
    """One analysis of a rendition, from which any number of takes is made."""

    def __init__(self, speech: Speech, neutral_dbfs: float = NEUTRAL_DB) -> None:
        samples = to_rate(speech.samples, speech.sampling_rate)
        measured = cut(samples, HOP_S)
        as_rendered = profile_of(measured, speech.phone_count)
        self.reference = replace(as_rendered, energy_db=neutral_dbfs)
        self._frames = with_creak(measured, samples)
        self._spectra = minimum_phase(self._frames.envelope)

    def take(self, target: Target, strength: float, seed: int) -> tuple[np.ndarray, float]:
        """A take, float32 [T] at 16 kHz, and by how many dB it was turned down lest it clip."""
        frames = self._frames
        at, paused = self._times(target, strength)
        index = np.round(at).astype(int)
        where = (at - frames.first) / (frames.last - frames.first)
        f0_hz = self._f0(target, strength, at, index, where)
        filters = minimum_phase(10 ** (_colours_db(target, strength) / 10))
        kind = (f0_hz > 0).astype(int)
        coloured_db = self._coloured_db(np.abs(filters) ** 2, index, kind)
        own_db = frames.energy_db[index] + coloured_db
        gain_db = self._gain_db(target, strength, own_db, frames.active[index], where)
        gain = np.where(paused, 0.0, 10 ** (gain_db / 20)).astype(np.float32)
        spectra = self._spectra[index] * filters[kind] * gain[:, None]
        aperiodicity = _aperiodicity(
            self.reference.aperiodicity_db, strength * target.aperiodicity_db
        )
        random = np.random.default_rng(seed)
        samples = synthesize(f0_hz, spectra, aperiodicity, HOP_S, random)
        return _finish(samples, self.reference.energy_db + strength * target.energy_db)

    def origins_s(self, target: Target, strength: float) -> np.ndarray:
        """Where in the rendition each frame of a take [F] comes from, in seconds."""
        at, _ = self._times(target, strength)
        return at * self._frames.hop_s

    def _times(self, target: Target, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """See `time_map`."""
        return time_map(
            self._frames,
            target.rate_ratio**strength,
            strength * target.pause_share,
            strength * target.voiced_share,
        )

    def _coloured_db(self, powers: np.ndarray, index: np.ndarray, kind: np.ndarray) -> np.ndarray:
        """By how many dB the colours [2, FFT / 2 + 1] raise the energy of each frame [F]."""
        envelope = self._frames.envelope
        raised = envelope @ powers.T / envelope.sum(axis=1, keepdims=True)
        return np.asarray(10 * np.log10(raised[index, kind]))

    def _f0(
        self, target: Target, strength: float, at: np.ndarray, index: np.ndarray, where: np.ndarray
    ) -> np.ndarray:
        """F0 of the take [F], Hz, 0 where unvoiced."""
        frames, reference = self._frames, self.reference
        known = np.flatnonzero(frames.sounding_hz > 0)
        own_st = np.interp(at, known, 12 * np.log2(frames.sounding_hz[known] / 27.5))
        own_st = own_st - reference.f0_level_st
        moved_st = (1 - target.f0_yield * min(strength, 1.0)) * own_st
        moved_st += strength * _at_points(target.f0_contour_st, where)
        voiced = (frames.f0_hz > 0)[index] & frames.active[index]
        if not voiced.any():
            raise ValueError("too little of the rendition is voiced to shape its pitch")
        low, middle, high = np.percentile(moved_st[voiced], [10, 50, 90])
        wanted = widened(reference.f0_range_st, target.f0_range_ratio, strength)
        scaled = (moved_st - middle) * wanted / max(high - low, 0.5)
        level_st = max(_LOWEST_ST, reference.f0_level_st + strength * target.f0_level_st)
        f0_hz = 27.5 * 2 ** ((level_st + scaled) / 12)
        return np.where((frames.sounding_hz > 0)[index], np.clip(f0_hz, *_F0_HZ), 0.0)

    def _gain_db(
        self,
        target: Target,
        strength: float,
        own_db: np.ndarray,
        active: np.ndarray,
        where: np.ndarray,
    ) -> np.ndarray:
        """Gain of each frame [F], dB, that moves its energy as the target does."""
        moved_db = own_db + _FOLLOW * strength * _at_points(target.energy_contour_db, where)
        low, middle, high = np.percentile(moved_db[active], [10, 50, 90])
        wanted = self.reference.energy_range_db * target.energy_range_ratio**strength
        scale = np.clip(wanted / max(high - low, 1.0), 0.4, 2.5)
        gain_db = (moved_db - middle) * scale + middle - own_db
        return np.asarray(np.where(active, gain_db, np.minimum(gain_db, 0.0)))


def widened(reference: float, ratio: float, strength: float) -> float:
    """An F0 range of the reference made wider or narrower by a ratio."""
    return float(reference * np.clip(ratio**strength, *F0_RANGE_RATIO))


def _at_points(contour: Sequence[float], where: np.ndarray) -> np.ndarray:
    """A contour [POINTS] at relative times [F], 0 = first and 1 = last speech."""
    middles = (np.arange(POINTS) + 0.5) / POINTS
    return np.asarray(np.interp(where, middles, contour))


def _colours_db(target: Target, strength: float) -> np.ndarray:
    """Smooth changes of the spectrum of unvoiced and voiced frames [2, FFT / 2 + 1], in dB."""
    hz = np.log(np.arange(FFT // 2 + 1) * RATE / FFT + 100)
    bands = np.log(band_centres_hz() + 100)
    curves = [
        np.interp(hz, bands, changes)
        for changes in (target.unvoiced_bands_db, target.voiced_bands_db)
    ]
    return np.clip(strength * np.array(curves), -_MAX_BAND_DB, _MAX_BAND_DB)


def _aperiodicity(reference_db: float, change_db: float) -> np.ndarray:
    """Amplitude share of the noise in voiced frames of formant synthesis [FFT / 2 + 1].

    A rendition's own noise (assumed: -38 dB at 0 Hz to -10 dB at 8 kHz) is less than what is
    measured as aperiodic, which has the movement of F0 in it; so the change is added as noise.
    """
    hz = np.arange(FFT // 2 + 1) * RATE / FFT
    own = 10 ** (np.interp(hz, [0, 1000, 4000, 8000], [-38, -30, -18, -10]) / 10)
    added = 10 ** (reference_db / 10) * (10 ** (change_db / 10) - 1)
    return np.sqrt(np.clip(own * min(1.0, 10 ** (change_db / 10)) + max(0.0, added), 0.0, 0.5))


def _finish(samples: np.ndarray, level_db: float) -> tuple[np.ndarray, float]:
    """Take out what lies below the voice, set the level, hold the peak, and fade the ends."""
    samples = sosfilt(_high_pass(), samples)
    energy_db = frame_energy_db(samples, HOP_S)
    speech = energy_db > np.percentile(energy_db, 95) - 30
    own_db = 10 * np.log10(np.mean(10 ** (energy_db[speech] / 10)))
    scaled = samples * 10 ** ((level_db - own_db) / 20)
    peak = float(np.abs(scaled).max())
    limited_db = max(0.0, 20 * float(np.log10(peak / PEAK)))
    scaled *= 10 ** (-limited_db / 20)
    ramp = np.sin(np.linspace(0, np.pi / 2, round(_FADE_S * RATE))) ** 2
    scaled[: len(ramp)] *= ramp
    scaled[-len(ramp) :] *= ramp[::-1]
    return scaled.astype(np.float32), limited_db


@lru_cache(maxsize=1)
def _high_pass() -> np.ndarray:
    """Second-order sections of the filter under the voice."""
    return np.asarray(butter(4, _HIGH_PASS_HZ, "highpass", fs=RATE, output="sos"))


def _at_rate(samples: np.ndarray, sampling_rate: int) -> np.ndarray:
    """A take at the wanted rate."""
    if sampling_rate == RATE:
        return samples
    return np.asarray(np.clip(soxr.resample(samples, RATE, sampling_rate), -0.99, 0.99))
