"""Clips for random models: noise whose loudness moves, so that no two are encoded alike."""

from __future__ import annotations

import numpy as np


def clip(seconds: float, seed: int = 0) -> np.ndarray:
    """Float32 [T] at 16 kHz."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(16_000 * seconds)) / 16_000
    loudness = 0.1 + 0.1 * np.sin(2 * np.pi * rng.uniform(1, 8) * t)
    return (loudness * rng.standard_normal(len(t))).astype(np.float32)
