"""Put a target on a rendition by WORLD (Morise, Yokomori and Ozawa 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.prosody.frames import FFT, RATE, Frames, band_centres_hz, cut, frame_energy_db
from pipeline.prosody.profile import POINTS, Profile, profile_of, to_rate
from pipeline.prosody.target import Target
from pipeline.synthesis.base import Speech

NEUTRAL_DB = -32.0
"""Level of neutral speech in dB re full scale (assumed): leaves loud anger its headroom."""

PEAK = 0.97
HOP_S = 0.005

_END_S = 0.06
_FADE_S = 0.02
_MAX_BAND_DB = 18.0


@dataclass(frozen=True)
class Shaped:
    """Takes of one rendition.

    Attributes:
        takes: Waveforms, float32 [T] each.
        sampling_rate: Of the takes, in Hz.
        reference: Profile of the rendition before the transfer, brought to `NEUTRAL_DB`.
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
) -> Shaped:
    """Takes of a rendition at several strengths (0 = neutral, 1 = as the source) from one analysis.

    Raises:
        ValueError: the rendition has no voiced frame, or strengths and seeds differ in number.
    """
    shaper = Shaper(speech)
    made = [
        shaper.take(target, strength, seed)
        for strength, seed in zip(strengths, seeds, strict=True)
    ]
    return Shaped(
        takes=tuple(_at_rate(samples, sampling_rate) for samples, _ in made),
        sampling_rate=sampling_rate,
        reference=shaper.reference,
        limited_db=tuple(limited for _, limited in made),
    )


class Shaper:
    """One analysis of a rendition, from which any number of takes is made."""

    def __init__(self, speech: Speech) -> None:
        samples = to_rate(speech.samples, speech.sampling_rate)
        self._frames = cut(samples, HOP_S)
        as_rendered = profile_of(self._frames, len(speech.phones) or None)
        self.reference = replace(as_rendered, energy_db=NEUTRAL_DB)

    def take(self, target: Target, strength: float, seed: int) -> tuple[np.ndarray, float]:
        """A take, float32 [T] at 16 kHz, and by how many dB it was turned down lest it clip."""
        import pyworld

        frames = self._frames
        at = _time_map(frames, target.rate_ratio**strength)
        index = np.round(at).astype(int)
        where = (at - frames.first) / (frames.last - frames.first)
        f0_hz = self._f0(target, strength, at, index, where)
        gain_db = self._gain_db(target, strength, index, where)
        envelope = frames.envelope[index] * 10 ** (
            (self._colour_db(target, strength, index) + gain_db[:, None]) / 10
        )
        aperiodicity = _aperiodicity(f0_hz, strength * target.aperiodicity_db)
        samples = pyworld.synthesize(f0_hz, envelope, aperiodicity, RATE, HOP_S * 1000)
        return _finish(samples, NEUTRAL_DB + strength * target.energy_db)

    def _f0(
        self, target: Target, strength: float, at: np.ndarray, index: np.ndarray, where: np.ndarray
    ) -> np.ndarray:
        """F0 of the take [F], Hz, 0 where unvoiced."""
        frames, reference = self._frames, self.reference
        known = np.flatnonzero(frames.f0_hz > 0)
        own_st = np.interp(at, known, 12 * np.log2(frames.f0_hz[known] / 27.5))
        own_st = own_st - reference.f0_level_st
        moved_st = own_st + strength * _at_points(target.f0_contour_st, where)
        voiced = (frames.f0_hz > 0)[index] & frames.active[index]
        low, middle, high = np.percentile(moved_st[voiced], [10, 50, 90])
        wanted = widened(reference.f0_range_st, target.f0_range_ratio, strength)
        scaled = (moved_st - middle) * wanted / max(high - low, 0.5)
        level_st = reference.f0_level_st + strength * target.f0_level_st
        f0_hz = 27.5 * 2 ** ((level_st + scaled) / 12)
        return np.where((frames.f0_hz > 0)[index], np.clip(f0_hz, 50.0, 900.0), 0.0)

    def _gain_db(
        self, target: Target, strength: float, index: np.ndarray, where: np.ndarray
    ) -> np.ndarray:
        """Gain of each frame [F], dB, that moves the energy as the target does."""
        frames, reference = self._frames, self.reference
        own_db = frames.energy_db[index]
        active = frames.active[index]
        moved_db = own_db + strength * _at_points(target.energy_contour_db, where)
        low, high = np.percentile(moved_db[active], [10, 90])
        wanted = reference.energy_range_db * target.energy_range_ratio**strength
        middle = moved_db[active].mean()
        scaled = (moved_db - middle) * np.clip(wanted / max(high - low, 1.0), 0.4, 2.5) + middle
        return np.where(active, scaled - own_db, np.minimum(scaled - own_db, 0.0))

    def _colour_db(self, target: Target, strength: float, index: np.ndarray) -> np.ndarray:
        """Change of the spectrum of each frame [F, FFT / 2 + 1], in dB."""
        voiced = (self._frames.f0_hz > 0)[index][:, None]
        of_voiced = _on_bins(target.voiced_bands_db, strength)
        of_unvoiced = _on_bins(target.unvoiced_bands_db, strength)
        return np.where(voiced, of_voiced, of_unvoiced)


def widened(reference: float, ratio: float, strength: float) -> float:
    """A range of the reference made wider or narrower by a ratio."""
    return float(reference * ratio**strength)


def _time_map(frames: Frames, rate_ratio: float) -> np.ndarray:
    """Position in the rendition, in frames, of each frame of the take [F]."""
    ratio = float(np.clip(rate_ratio, 0.5, 2.0))
    margin = round(_END_S / HOP_S)
    length = max(2, round((frames.last - frames.first) / ratio))
    inner = np.linspace(frames.first, frames.last, length)
    before = np.clip(frames.first - np.arange(margin, 0, -1), 0, None)
    after = np.clip(frames.last + np.arange(1, margin + 1), None, len(frames.active) - 1)
    return np.concatenate([before, inner, after])


def _at_points(contour: Sequence[float], where: np.ndarray) -> np.ndarray:
    """A contour [POINTS] at relative times [F], 0 = first and 1 = last speech."""
    middles = (np.arange(POINTS) + 0.5) / POINTS
    return np.interp(where, middles, contour)


def _on_bins(bands_db: Sequence[float], strength: float) -> np.ndarray:
    """Band differences [BANDS] as a smooth curve over the spectrum [FFT / 2 + 1], in dB."""
    hz = np.arange(FFT // 2 + 1) * RATE / FFT
    curve = np.interp(np.log(hz + 100), np.log(band_centres_hz() + 100), bands_db)
    return np.clip(strength * curve, -_MAX_BAND_DB, _MAX_BAND_DB)


def _aperiodicity(f0_hz: np.ndarray, change_db: float) -> np.ndarray:
    """Aperiodicity [F, FFT / 2 + 1] (amplitude share of the noise) of formant synthesis."""
    hz = np.arange(FFT // 2 + 1) * RATE / FFT
    noise_db = np.interp(hz, [0, 1000, 4000, 8000], [-38, -30, -18, -10]) + change_db
    share = 1 / (1 + 10 ** (-noise_db / 10))
    return np.where((f0_hz > 0)[:, None], np.sqrt(share)[None, :], 1.0)


def _finish(samples: np.ndarray, level_db: float) -> tuple[np.ndarray, float]:
    """Set the level, hold the peak under full scale, and fade the ends."""
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


def _at_rate(samples: np.ndarray, sampling_rate: int) -> np.ndarray:
    """A take at the wanted rate."""
    if sampling_rate == RATE:
        return samples
    import soxr

    resampled: np.ndarray = soxr.resample(samples, RATE, sampling_rate)
    return np.clip(resampled, -0.99, 0.99)
