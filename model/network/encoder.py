"""The frozen Whisper encoder, kept out of the model: nothing can train it or take it out of eval.

Shapes: clips float32 [T] at 16 kHz -> frames [F, K A + P] of 20 ms, A the encoder's width, K its
layers that are kept side by side, P the channels of the measured prosody or 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from model.network.prosody import CHANNELS, VERSION, prosody_channels
from model.recipe.architecture import RandomEncoder, WhisperEncoder
from pipeline.engine import digest
from pipeline.errors import InputError
from pipeline.pretrained.devices import Device, resolve
from pipeline.whisper.checkpoint import CheckpointError, load_checkpoint
from pipeline.whisper.encoding import Window, encode

if TYPE_CHECKING:
    from torch import Tensor
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
    layers: int = 1
    prosody: bool = False

    @property
    def width(self) -> int:
        """K A + P."""
        beside = CHANNELS if self.prosody else 0
        return self.layers * int(self.whisper.dims.n_audio_state) + beside

    def encode(self, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Frames of each clip at its true length, in half precision: float16 [F, K A + P]."""
        encoded = encode(self.whisper, clips, self.window)
        padded = encoded.frames.cpu().half().numpy()
        frames = [padded[row, :length] for row, length in enumerate(encoded.lengths.tolist())]
        if not self.prosody:
            return frames
        return [_beside(*pair) for pair in zip(frames, clips, strict=True)]


def _beside(frames: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Frames [F, K A + P] of a clip with its prosody beside each of them."""
    channels = prosody_channels(samples).astype(frames.dtype)
    return np.hstack([frames, np.broadcast_to(channels, (len(frames), CHANNELS))])


def load_encoder(
    settings: WhisperEncoder | RandomEncoder, device: Device | None = None
) -> FrozenEncoder:
    """The encoder of a recipe, on its device or on another.

    Raises:
        InputError: the weights can't be had, are damaged, or are not those that were pinned; or
            there is no such device.
    """
    if isinstance(settings, RandomEncoder):
        made, name = _make_random(settings), _named(settings)
        return FrozenEncoder(made, settings.window, name, prosody=settings.prosody)
    place = device or settings.device
    usable_device(place)
    try:
        found = load_checkpoint(settings.model, settings.sha256, place, settings.dtype)
    except CheckpointError as error:
        raise InputError(f"encoder.{error}") from error
    del found.model.decoder  # nobody asks it, and it is half of a large model
    pinned = settings.model_copy(update={"model": "", "sha256": found.sha256})
    if settings.layers:
        _tap(found.model, settings.layers)
    layers, name = len(settings.layers or (0,)), _named(pinned)
    return FrozenEncoder(found.model, settings.window, name, layers, settings.prosody)


def _named(settings: WhisperEncoder | RandomEncoder) -> str:
    """What names the frames that these settings give."""
    name = settings.fingerprint()
    return digest(name, VERSION) if settings.prosody else name


def usable_device(device: Device) -> str:
    """Torch's name of a device that is there.

    Raises:
        InputError: it isn't.
    """
    import torch

    place, _ = resolve(device, "float32")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(place, True):
        raise InputError(f"device: this machine, or its torch, has no '{place}': say cpu or auto")
    return place


def _tap(whisper: Whisper, layers: Sequence[int]) -> None:
    """Let the encoder give the outputs of these blocks side by side in place of its last norm.

    Raises:
        InputError: it has no such block.
    """
    from torch import cat, nn

    encoder = whisper.encoder
    if max(layers) > len(encoder.blocks):
        raise InputError(
            f"encoder.layers: {max(layers)} is not there; '0' to '{len(encoder.blocks)}' are"
        )
    held: dict[int, Tensor] = {}

    def hold_input(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        held[0] = given[0]

    def hold_output(number: int) -> Callable[..., None]:
        def hold(_: nn.Module, __: Any, output: Tensor) -> None:
            held[number] = output

        return hold

    encoder.blocks[0].register_forward_pre_hook(hold_input)
    for number, block in enumerate(encoder.blocks, 1):
        block.register_forward_hook(hold_output(number))

    class Layers(nn.Module):
        def forward(self, _: Tensor) -> Tensor:
            return cat([held[number] for number in layers], dim=-1)

    encoder.ln_post = Layers()


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
