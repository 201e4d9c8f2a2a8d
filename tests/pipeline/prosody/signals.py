"""Synthetic voices with known pitch, level and spectrum."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.synthesis.base import Phone, Speech

RATE = 16_000


def voice(
    f0_hz: float = 150.0,
    level_db: float = -25.0,
    tilt_db_oct: float = -9.0,
    seconds: float = 1.6,
    glide_st: float = 4.0,
    noise: float = 0.003,
    hiss: float = 0.0,
) -> np.ndarray:
    """Syllables of harmonics that glide down by `glide_st`, with 0.2 s of rest at both ends.

    The last part of each of the four syllables, a share `hiss`, is noise.
    """
    random = np.random.default_rng(5)
    times_s = np.arange(round(seconds * RATE)) / RATE
    f0 = f0_hz * 2 ** (glide_st / 12 * (0.5 - times_s / seconds))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    harmonics = np.arange(1, int(7500 / f0.max()) + 1)
    sizes = 10 ** (tilt_db_oct * np.log2(harmonics) / 20)
    wave = (sizes[:, None] * np.sin(harmonics[:, None] * phase)).sum(axis=0)
    wave += noise * random.standard_normal(len(wave)) * np.abs(wave).max()
    wave *= 0.35 + 0.65 * np.sin(np.pi * 4 * times_s / seconds) ** 2
    hissing = (4 * times_s / seconds) % 1 > 1 - hiss
    wave[hissing] = 0.2 * np.abs(wave).max() * random.standard_normal(int(hissing.sum()))
    wave *= 10 ** (level_db / 20) / np.sqrt(np.mean(wave**2))
    rest = np.zeros(round(0.2 * RATE))
    return np.concatenate([rest, wave, rest]).astype(np.float32)


def creaky() -> np.ndarray:
    """A voice of 180 Hz whose last 0.4 s are at 75 Hz."""
    rest = round(0.2 * RATE)
    end = voice(f0_hz=75.0, level_db=-28.0, seconds=0.4, glide_st=0.5)
    return np.concatenate([voice(f0_hz=180.0)[:-rest], end[rest:]])


def speech(**settings: float) -> Speech:
    """The voice as a rendition of sixteen phones."""
    samples = voice(**settings)
    edges = np.linspace(0.2, len(samples) / RATE - 0.2, 17)
    phones = tuple(Phone("a", float(a), float(b)) for a, b in pairwise(edges))
    return Speech(samples, RATE, phones)
