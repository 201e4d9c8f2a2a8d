"""A sound that is taken for a voice."""

import numpy as np

RATE = 16_000


def voice(seconds=1.0):
    """A buzz with a falling pitch, which has a profile like a voice."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(180 - 40 * time) / RATE
    return (0.3 * sum(np.sin(k * phase) / k for k in range(1, 12))).astype("f4")
