"""From latents to a waveform with clean ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.records import Failure
from pipeline.synthesis.base import Speech

if TYPE_CHECKING:
    from torch import Tensor

_SILENCE_DB = 45.0
"""A frame this far below the loudest is not speech (assumed)."""
_REST_S = 0.1
"""What is left after the last speech, and between two pieces of a text."""
_FADE_S = 0.01
_FRAME_S = 0.01


def vocode(model: Any, latents: Tensor, speaker: Tensor) -> np.ndarray:
    """Float32 [T] of latents [N, D] in a voice [1, 512, 1].

    One text at a time: the vocoder's convolutions would hear the padding of a batch.
    """
    samples = model.hifigan_decoder(latents.float()[None], g=speaker)
    return np.asarray(samples.flatten().cpu().numpy(), dtype=np.float32)


def clean_ends(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """The waveform without the silence at its end, faded out so that a cut makes no click."""
    frame = round(_FRAME_S * rate_hz)
    power = np.add.reduceat(samples.astype(np.float64) ** 2, np.arange(0, len(samples), frame))
    heard = np.flatnonzero(power > power.max() * 10 ** (-_SILENCE_DB / 10))
    if not len(heard):
        return samples
    trimmed = samples[: (int(heard[-1]) + 1) * frame + round(_REST_S * rate_hz)].copy()
    fade = min(len(trimmed), round(_FADE_S * rate_hz))
    trimmed[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return trimmed


def join(pieces: Sequence[Speech | Failure]) -> Speech | Failure:
    """The pieces of one text as one; it fails if one of them does."""
    spoken = [piece for piece in pieces if isinstance(piece, Speech)]
    for piece in pieces:
        if isinstance(piece, Failure):
            return piece
    return Speech(
        np.concatenate([piece.samples for piece in spoken]),
        spoken[0].sampling_rate,
        hit_length_cap=any(piece.hit_length_cap for piece in spoken),
    )
