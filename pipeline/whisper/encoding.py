"""Waveform -> log-mel -> encoder frames, in Whisper's full window or in a short one.

Whisper pads every clip to its window of 30 s, so a clip of 3 s costs ten times what it needs. A
short window is the clip's own length rounded up, with the positional embedding cut to it. The
numbers then differ a little from the full window's (the padding is attended, and is shorter);
`benchmarks/whisper_judge.py` prints how often the transcript does. The rounding depends on the
clip alone, never on the batch around it, so batched equals single.

Several clips side by side in one full window, masked apart, would save that rounding alone, and pay
attention over 1500 x 1500 frames for it: batches of short windows are the cheaper half of the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.pretrained.batching import halving
from pipeline.records import Failure

if TYPE_CHECKING:
    from torch import Tensor
    from whisper.model import AudioEncoder, Whisper

Window = Literal["full", "short"]

_GRID_FRAMES = 100
"""Short windows are whole seconds: few different ones, so that batches fill."""
_MARGIN_FRAMES = 50
"""Silence a short window keeps behind the clip, in mel frames of 10 ms. Assumed."""


@dataclass(frozen=True)
class Encoded:
    """Encoder frames [B, F, D] of 20 ms, zero behind each clip's own number, `lengths` [B]."""

    frames: Tensor
    lengths: Tensor


def encode(
    model: Whisper, clips: Sequence[np.ndarray], window: Window = "short", batch_size: int = 16
) -> Encoded:
    """Encode clips (float32 [T], 16 kHz) of any length; padding is cut away, not returned.

    Clips longer than the window are encoded in pieces and joined in time; batches that don't fit
    into memory run in halves.

    Raises:
        MemoryError: a piece doesn't fit alone.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    pieces = [
        (clip, piece)
        for clip, samples in enumerate(clips)
        for piece in windows(log_mel(samples, model.dims.n_mels), model)
    ]
    encoded: dict[int, Tensor] = {}
    sizes = [window_frames(piece.shape[1], model, window) for _, piece in pieces]
    for batch in batches(sizes, batch_size):
        run = partial(_each_encoded, model, sizes[batch[0]])
        found = halving(run, [pieces[i][1] for i in batch], "read")
        for i, frames in zip(batch, found, strict=True):
            if isinstance(frames, Failure):
                raise MemoryError(frames.error)
            encoded[i] = frames[: -(-pieces[i][1].shape[1] // 2)]
    joined = [
        torch.cat([encoded[i] for i, (owner, _) in enumerate(pieces) if owner == clip])
        for clip in range(len(clips))
    ]
    lengths = torch.tensor([len(frames) for frames in joined], device=model.device)
    return Encoded(pad_sequence(joined, batch_first=True), lengths)


def log_mel(samples: np.ndarray, n_mels: int) -> Tensor:
    """Log-mel [n_mels, T // 160] of a clip, as `whisper.transcribe` computes it.

    Raises:
        ValueError: the samples are empty, not one channel, or not finite.
    """
    import whisper
    from whisper.audio import HOP_LENGTH, N_FFT

    if samples.ndim != 1 or len(samples) < HOP_LENGTH:
        raise ValueError(f"audio has shape {samples.shape}; expected one channel of 10 ms or more")
    if not np.isfinite(samples).all():
        raise ValueError("audio holds NaN or infinite samples; write the take anew")
    # transcribe pads 30 s of zeros; one FFT's length already gives the same frames
    padded = np.pad(samples.astype(np.float32, copy=False), (0, N_FFT))
    mel: Tensor = whisper.log_mel_spectrogram(padded, n_mels)
    return mel[:, : len(samples) // HOP_LENGTH]


def windows(mel: Tensor, model: Whisper) -> Iterator[Tensor]:
    """Cut a log-mel into pieces of at most the model's window, each at the quietest near frame.

    `whisper.transcribe` without timestamps cuts at exactly 30 s, through a word if need be.
    """
    full = _full_frames(model)
    while mel.shape[1] > full:
        near = mel[:, full - full // 4 : full].mean(dim=0)
        cut = full - full // 4 + int(near.argmin()) // 2 * 2  # whole encoder frames
        yield mel[:, :cut]
        mel = mel[:, cut:]
    yield mel


def window_frames(frames: int, model: Whisper, window: Window) -> int:
    """The window, in mel frames of 10 ms, in which a piece of so many frames is encoded."""
    full = _full_frames(model)
    if window == "full":
        return full
    return min(full, -(-(frames + _MARGIN_FRAMES) // _GRID_FRAMES) * _GRID_FRAMES)


def batches(sizes: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Indices in batches of one window size each, in the given order within a size."""
    for size in sorted(set(sizes)):
        same = [i for i, s in enumerate(sizes) if s == size]
        for start in range(0, len(same), batch_size):
            yield same[start : start + batch_size]


def encode_mels(model: Whisper, mels: Sequence[Tensor], frames: int) -> Tensor:
    """Encode log-mels [n_mels, <= frames], padded as `transcribe` does: [B, frames / 2, D]."""
    import torch
    from torch.nn.functional import pad

    with torch.no_grad():
        batch = torch.stack([pad(mel, (0, frames - mel.shape[1])) for mel in mels])
        weights = model.encoder.conv1.weight
        return encoder_frames(model.encoder, batch.to(weights.device, weights.dtype))


def _each_encoded(model: Whisper, frames: int, mels: list[Tensor]) -> list[Tensor]:
    return list(encode_mels(model, mels, frames))


def encoder_frames(encoder: AudioEncoder, mel: Tensor) -> Tensor:
    """`AudioEncoder.forward` for any window up to its own: the positions are cut, not asserted.

    Log-mels [B, n_mels, T], T even, give frames [B, T / 2, D].
    """
    from torch.nn.functional import gelu

    x = gelu(encoder.conv2(gelu(encoder.conv1(mel)))).permute(0, 2, 1)
    x = (x + encoder.positional_embedding[: x.shape[1]]).to(x.dtype)
    for block in encoder.blocks:
        x = block(x)
    encoded: Tensor = encoder.ln_post(x)
    return encoded


def _full_frames(model: Whisper) -> int:
    return 2 * int(model.dims.n_audio_ctx)
