"""The measured prosody of a clip as channels beside its frames.

Shapes: a clip float32 [T] at 16 kHz -> [CHANNELS], P in other modules.

Whisper's later layers hold what is said; how it is said fades. A second view beside Whisper's is
SALMONN's (Tang et al. 2024, section 3.1: BEATs); that it is a profile is our own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.prosody.frames import BANDS, RATE
from pipeline.prosody.profile import POINTS, SCALARS, measure

VERSION = 2
"""Of what is measured: frames are kept with it, and another would stand beside them."""
CHANNELS = len(SCALARS) + 2 * POINTS + 2 * BANDS


def prosody_channels(samples: np.ndarray) -> np.ndarray:
    """The numbers of a clip's profile [CHANNELS].

    All are NaN where it has no voiced frame to measure, its unvoiced bands where it has none.
    """
    try:
        profile = measure(samples, RATE, None)
    except ValueError:
        return np.full(CHANNELS, np.nan)
    unvoiced = profile.unvoiced_bands_db or (np.nan,) * BANDS
    return np.hstack(list(replace(profile, unvoiced_bands_db=unvoiced).to_dict().values()))
