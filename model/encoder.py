"""The frozen Whisper encoder, kept out of the model: nothing can train it or take it out of eval.

Shapes: clips float32 [T] at 16 kHz -> frames [F, A] of 20 ms, A the encoder's width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.recipe import RandomEncoder, WhisperEncoder
from pipeline.errors import InputError
from pipeline.whisper.checkpoint import CheckpointError, load_checkpoint
from pipeline.whisper.encoding import Window, encode

if TYPE_CHECKING:
    from whisper.model import Whisper

SAMPLING_RATE = 16_000
SHORTEST_SAMPLES = 160
"""One log-mel frame."""
_CONTEXT_FRAMES = 1500
"""Of Whisper's window of 30 s."""


@dataclass(frozen=True)
class FrozenEncoder:
    """A loaded encoder; `fingerprint` names the frames that it gives."""

    whisper: Whisper
    window: Window
    fingerprint: str

    @property
    def width(self) -> int:
        """A."""
        return int(self.whisper.dims.n_audio_state)

    def encode(self, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Frames of each clip at its true length, in half precision: float16 [F, A]."""
        encoded = encode(self.whisper, clips, self.window)
        frames = encoded.frames.cpu().half().numpy()
        return [frames[row, :length] for row, length in enumerate(encoded.lengths.tolist())]


def load_encoder(settings: WhisperEncoder | RandomEncoder) -> FrozenEncoder:
    """The encoder of a recipe.

    Raises:
        InputError: the weights can't be had, are damaged, or are not those that were pinned.
    """
    if isinstance(settings, RandomEncoder):
        return FrozenEncoder(_make_random(settings), settings.window, settings.fingerprint())
    try:
        found = load_checkpoint(settings.model, settings.sha256, settings.device, settings.dtype)
    except CheckpointError as error:
        raise InputError(f"encoder.{error}") from error
    pinned = settings.model_copy(update={"model": "", "sha256": found.sha256})
    return FrozenEncoder(found.model, settings.window, pinned.fingerprint())


def _make_random(settings: RandomEncoder) -> Whisper:
    """Of random weights; the decoder, which nobody asks, is as small as it can be.

    As torch initialises them, convolutions shrink the log-mel until the positions drown it. So they
    get He's variance, which keeps it, and the positions a tenth of theirs (assumed).
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    dims = ModelDimensions(
        n_mels=settings.n_mels,
        n_audio_ctx=_CONTEXT_FRAMES,
        n_audio_state=settings.width,
        n_audio_head=settings.heads,
        n_audio_layer=settings.layers,
        n_vocab=1,
        n_text_ctx=1,
        n_text_state=settings.width,
        n_text_head=settings.heads,
        n_text_layer=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        model = Whisper(dims)
        for convolution in (model.encoder.conv1, model.encoder.conv2):
            torch.nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        model.encoder.positional_embedding *= 0.1
    return model.eval().requires_grad_(False)
