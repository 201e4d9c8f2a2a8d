"""A profile's numbers relative to neutral speech, as classifiers take them."""

from __future__ import annotations

import numpy as np

from pipeline.prosody.profile import SCALARS, Profile


def relative_scalars(profile: Profile, neutral: Profile) -> np.ndarray:
    """Differences of the two profiles' numbers, float64 [len(SCALARS)], in their units."""
    return np.array([getattr(profile, name) - getattr(neutral, name) for name in SCALARS])
