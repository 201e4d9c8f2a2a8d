"""Cheap changes of a clip that a judge must hear through; none of them moves anything in time."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve, lfilter

RATE_HZ = 16_000
_LEVEL_DB = (-44.0, -16.0)
"""RMS of a clip re full scale: the quickstart's neutral speech has -32 dB."""
_SNR_DB = (15.0, 45.0)


def spoil(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The clip [T] with a random colour, breath, room, noise and level."""
    if random.random() < 0.4:
        samples = _coloured(samples, random)
    if random.random() < 0.2:
        samples = _breathy(samples, random)
    if random.random() < 0.03:
        samples = _in_a_room(samples, random)
    samples = _at_level(samples, random.uniform(*_LEVEL_DB))
    if random.random() < 0.15:
        samples = samples + _rms(samples) * 10 ** (-random.uniform(*_SNR_DB) / 20) * noise(
            len(samples), random
        )
    return _in_range(samples)


def noise(length: int, random: np.random.Generator) -> np.ndarray:
    """Noise [T] of RMS 1: white, or darker by up to 12 dB an octave."""
    white = random.standard_normal(length)
    for _ in range(random.integers(3)):
        white = lfilter([1.0], [1.0, -random.uniform(0.5, 0.98)], white)
    return np.asarray(white / _rms(white))


def not_speech(length: int, random: np.random.Generator) -> np.ndarray:
    """A clip [T] in which nobody speaks: noise, a hum, or digital silence."""
    kind = random.integers(4)
    if kind == 0:
        return np.zeros(length, dtype=np.float32)
    if kind == 1:
        turns = np.arange(length) * random.uniform(50, 2000) / RATE_HZ
        made = np.sin(2 * np.pi * turns) + 0.1 * noise(length, random)
    else:
        made = noise(length, random)
    return _in_range(_at_level(made, random.uniform(-70, -10)))


def _coloured(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A tilt of the spectrum by a pole or a zero: up to some 10 dB darker or brighter."""
    turn = random.uniform(-0.55, 0.75)
    if turn < 0:
        return np.asarray(lfilter([1.0, turn], [1.0], samples))
    return np.asarray(lfilter([1.0 - turn], [1.0, -turn], samples))


def _breathy(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Noise that rises and falls with the speech, as breath does (about 20 ms smooth)."""
    envelope = np.sqrt(lfilter([0.003], [1.0, -0.997], samples**2))
    share = 10 ** (-random.uniform(12, 30) / 20)
    hiss = lfilter([1.0, -0.9], [1.0], random.standard_normal(len(samples)))
    return np.asarray(samples + share * envelope * hiss)


def _in_a_room(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Direct sound and a tail of noise that decays within 0.1 to 0.3 s."""
    decay_s = random.uniform(0.1, 0.3)
    times_s = np.arange(int(decay_s * RATE_HZ)) / RATE_HZ
    tail = random.standard_normal(len(times_s)) * 10 ** (-3 * times_s / decay_s)
    tail *= 10 ** (-random.uniform(3, 15) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(fftconvolve(samples, tail)[: len(samples)])


def _at_level(samples: np.ndarray, level_db: float) -> np.ndarray:
    return np.asarray(samples * 10 ** (level_db / 20) / max(_rms(samples), 1e-9))


def _in_range(samples: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(samples, -1.0, 1.0), dtype=np.float32)


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))
