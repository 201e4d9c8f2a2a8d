"""A clip cut into frames: pitch, energy, where there is speech, and a smooth spectrum."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

import numpy as np

from pipeline.prosody.pitch import frame, track_pitch

RATE = 16_000
"""All prosody is measured and made at 16 kHz."""

FFT = 1024
BANDS = 24

_ENERGY_WINDOW_S = 0.032
_SILENCE = 1e-7
"""Largest sample of a clip that is silent but for rounding: the offset of one is no sound."""
_SPEECH_BELOW_LOUD_DB = 30.0
"""Frames this far under the loud ones (95th percentile) are no speech (assumed)."""

_NEAR_VOICE_S = 0.25
"""Louder frames further than this from a voiced one are breath or noise, not speech (assumed)."""


@dataclass(frozen=True)
class Frames:
    """Frames [F] of a clip, every `hop_s` seconds; `first` and `last` bound the speech.

    `f0_hz`, `strength`, `creak_hz`: see `Pitch`.
    """

    hop_s: float
    f0_hz: np.ndarray
    strength: np.ndarray
    creak_hz: np.ndarray
    energy_db: np.ndarray
    active: np.ndarray
    envelope: np.ndarray
    """Power spectrum [F, FFT / 2 + 1], smoothed over the harmonics (CheapTrick, Morise 2015)."""

    @property
    def voiced(self) -> np.ndarray:
        """Frames that are speech and have a pitch [F]."""
        return self.active & (self.f0_hz > 0)

    @property
    def sounding_hz(self) -> np.ndarray:
        """F0 [F] with that of creak, in Hz, 0 where unvoiced."""
        return np.where(self.f0_hz > 0, self.f0_hz, self.creak_hz)

    @property
    def first(self) -> int:
        """The first frame of speech."""
        return int(np.argmax(self.active))

    @property
    def last(self) -> int:
        """The last frame of speech."""
        return len(self.active) - 1 - int(np.argmax(self.active[::-1]))


def cut(samples: np.ndarray, hop_s: float) -> Frames:
    """Frames of samples [T] at 16 kHz.

    Raises:
        ValueError: the clip is shorter than 0.1 s, silent, not finite or has no voiced frame.
    """
    if len(samples) < RATE // 10:
        raise ValueError(f"the clip has {len(samples) / RATE:.3f} s; prosody needs 0.1 s or more")
    if not np.isfinite(samples).all():
        raise ValueError("the clip has samples that are not finite")
    samples = _centred(samples)
    if not np.any(np.abs(samples) > _SILENCE):
        raise ValueError("the clip is silent")
    pitch = track_pitch(samples, RATE, hop_s)
    energy_db = frame_energy_db(samples, hop_s)
    loud = energy_db > np.percentile(energy_db, 95) - _SPEECH_BELOW_LOUD_DB
    active = loud & _near(loud & (pitch.f0_hz > 0), round(_NEAR_VOICE_S / hop_s))
    if not active.any():
        raise ValueError("the clip has no voiced frame: no pitch to measure")
    envelope = _envelope(samples, pitch.f0_hz, hop_s)
    return Frames(hop_s, pitch.f0_hz, pitch.strength, pitch.creak_hz, energy_db, active, envelope)


def with_creak(frames: Frames, samples: np.ndarray) -> Frames:
    """The frames of samples [T] with creak as speech: to be spoken again, and not measured."""
    if not frames.creak_hz.any():
        return frames
    return replace(
        frames,
        active=frames.active | (frames.creak_hz > 0),
        envelope=_envelope(_centred(samples), frames.sounding_hz, frames.hop_s),
    )


def _centred(samples: np.ndarray) -> np.ndarray:
    """Without a constant offset, as cheap interfaces have: it would make speech of every pause."""
    return np.asarray(samples - samples.mean(dtype=np.float64).astype(np.float32))


def _envelope(samples: np.ndarray, f0_hz: np.ndarray, hop_s: float) -> np.ndarray:
    times_s = np.arange(len(f0_hz)) * hop_s
    return _cheaptrick()(samples.astype(np.float64), f0_hz, times_s, RATE, fft_size=FFT)


def _near(where: np.ndarray, reach: int) -> np.ndarray:
    """Frames [F] with a true one at most `reach` frames away."""
    count = np.concatenate([np.zeros(reach + 1), np.cumsum(where), np.full(reach, where.sum())])
    return np.asarray(count[2 * reach + 1 :] > count[: -2 * reach - 1])


def _cheaptrick() -> Callable[..., np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyworld still asks pkg_resources for its version
        from pyworld import cheaptrick

    return cast("Callable[..., np.ndarray]", cheaptrick)


def frame_energy_db(samples: np.ndarray, hop_s: float) -> np.ndarray:
    """RMS of 32 ms around each frame's centre, in dB re full scale [F]."""
    width = int(_ENERGY_WINDOW_S * RATE)
    frames = frame(samples, width, RATE * hop_s) * np.sqrt(np.hanning(width) * 2)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-10))


@lru_cache(maxsize=1)
def band_weights() -> np.ndarray:
    """Triangular mel bands from 60 Hz to 8 kHz, rows sum to one [BANDS, FFT / 2 + 1]."""
    edges = np.linspace(_mel(np.array(60.0)), _mel(np.array(RATE / 2)), BANDS + 2)
    at = _mel(np.arange(FFT // 2 + 1) * RATE / FFT)[None, :]
    low, middle, high = (edges[k : k + BANDS, None] for k in range(3))
    weights = np.maximum(0, np.minimum((at - low) / (middle - low), (high - at) / (high - middle)))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _mel(hz: np.ndarray) -> np.ndarray:
    return np.asarray(1127 * np.log1p(hz / 700))


def band_centres_hz() -> np.ndarray:
    """Centre of each mel band [BANDS], in Hz."""
    weights = band_weights()
    return np.asarray(weights @ (np.arange(FFT // 2 + 1) * RATE / FFT))


def bands_db(envelope: np.ndarray) -> np.ndarray:
    """Band levels [F, BANDS] in dB of power spectra [F, FFT / 2 + 1]."""
    return np.asarray(10 * np.log10(envelope @ band_weights().T + 1e-14))
