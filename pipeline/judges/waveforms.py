"""Clips of different lengths through a speech network of transformers, each as if it were alone.

Padding must not be heard. Most of these networks mask it wherever they look across time, if they
are told the lengths; two places do not. wav2vec 2.0, HuBERT and WavLM of the base size normalise
the first convolution over the whole time (`GroupNorm`), padding with it; `MaskedGroupNorm` takes
its place. The pooling of x-vectors is in `pipeline.judges.wavlm`. Whisper hears windows of 30 s.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.judges.base import JUDGE_RATE_HZ
from pipeline.pretrained.batching import run_by_length
from pipeline.pretrained.named import ModelError, Pretrained
from pipeline.pretrained.transformer import open_config, open_extractor, open_model
from pipeline.records import Failure

if TYPE_CHECKING:
    from torch import Tensor

PADDED = ("wav2vec2", "hubert", "wavlm")
"""Families that hear the waveform, and are told how much of it is padding."""
WINDOWED = ("whisper",)
"""Families that hear a window of fixed length."""

Forward = Callable[[dict[str, "Tensor"]], "Tensor"]
"""Inputs of a batch (`input_values` [B, T] with `attention_mask`; or `input_features`): [B, D]."""


@dataclass(frozen=True)
class Hearing:
    """A network with what prepares its input; calling it gives a vector for each clip."""

    model: Any
    extractor: Any
    forward: Forward
    shortest: int
    """Samples; of less the network makes nothing."""
    batch_s: float

    def __call__(self, clips: Sequence[np.ndarray]) -> list[np.ndarray | Failure]:
        """Clips float32 [T] at 16 kHz -> vectors float32 [D], in their order."""
        budget = round(self.batch_s * JUDGE_RATE_HZ)
        lengths = [len(clip) for clip in clips]
        return run_by_length(self._run, clips, lengths, budget, "judge")

    def _run(self, clips: list[np.ndarray]) -> list[np.ndarray | Failure]:
        import torch

        faults = [self.fault(clip) for clip in clips]
        fit = [clip for clip, fault in zip(clips, faults, strict=True) if fault is None]
        vectors = iter(())
        if fit:
            with torch.inference_mode(), warnings.catch_warnings():
                # WavLM of transformers 5.23 gives torch a mask of flags and one of numbers.
                warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
                found = self.forward(self._inputs(fit))
            vectors = iter(found.float().cpu().numpy())
        return [Failure("judge", fault) if fault else next(vectors) for fault in faults]

    def fault(self, clip: np.ndarray) -> str | None:
        """Why the network can't hear a clip, or None."""
        duration_s = len(clip) / JUDGE_RATE_HZ
        if len(clip) < self.shortest:
            shortest_s = self.shortest / JUDGE_RATE_HZ
            return f"the clip lasts {duration_s:.3f} s; this network needs {shortest_s:.3f} s"
        if self.model.config.model_type in WINDOWED and len(clip) > self.extractor.n_samples:
            longest_s = self.extractor.n_samples / JUDGE_RATE_HZ
            return f"the clip lasts {duration_s:.1f} s; this network hears {longest_s:.0f} s"
        return None

    def _inputs(self, clips: list[np.ndarray]) -> dict[str, Tensor]:
        """The extractor's own preparation of each clip by itself, then silence behind it."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        weights = next(self.model.parameters())
        rows = [self.extractor(clip, sampling_rate=JUDGE_RATE_HZ) for clip in clips]
        name = self.extractor.model_input_names[0]
        tensors = [torch.from_numpy(np.asarray(row[name][0], np.float32)) for row in rows]
        batch = pad_sequence(tensors, batch_first=True).to(weights.device, weights.dtype)
        if self.model.config.model_type in WINDOWED:
            return {name: batch}
        lengths = torch.tensor([len(one) for one in tensors])
        mask = torch.arange(batch.shape[1]) < lengths[:, None]
        return {name: batch, "attention_mask": mask.long().to(weights.device)}


def load_network(settings: Pretrained, architecture: Any) -> tuple[Any, Any]:
    """A network and its extractor, on its device, ready for padded batches.

    `architecture`: a class with `from_pretrained`.

    Raises:
        ModelError: it can't be had, is damaged, is of a family that isn't known here, hears another
            rate than 16 kHz, or its weights are not of this architecture.
    """
    folder = settings.folder()
    config, extractor = open_config(folder), open_extractor(folder)
    if config.model_type not in PADDED + WINDOWED:
        raise ModelError(
            f"model: '{settings.model}' is of the family '{config.model_type}'; batches are known "
            f"to be exact for {', '.join(PADDED + WINDOWED)}: name a model of one of these"
        )
    rate_hz = getattr(extractor, "sampling_rate", None)  # an extractor of images has none
    if rate_hz != JUDGE_RATE_HZ:
        raise ModelError(f"model: '{settings.model}' hears {rate_hz} Hz, judges {JUDGE_RATE_HZ}")
    model = open_model(architecture, folder, *settings.placement(), config=config)
    if getattr(config, "feat_extract_norm", None) == "group":
        _mask_first_norm(model)
    return model, extractor


def frame_count(model: Any, samples: Any) -> Any:
    """Frames that the convolutions of a `PADDED` network make of so many samples."""
    for kernel, stride in zip(model.config.conv_kernel, model.config.conv_stride, strict=True):
        samples = (samples - kernel) // stride + 1
    return samples


def mean_frame(model: Any, frames: Any, attention_mask: Any) -> Any:
    """The mean [B, D] of frames [B, F, D] over each clip's own, by the samples' mask [B, T].

    In half precision too the sum is taken in float32: it would leave float16's range.
    """
    import torch

    lengths = frame_count(model, attention_mask.sum(dim=1))[:, None]
    inside = torch.arange(frames.shape[1], device=frames.device) < lengths
    return ((frames.float() * inside[..., None]).sum(dim=1) / lengths).to(frames.dtype)


def shortest_clip(model: Any, frames: int = 1) -> int:
    """Samples of which a network makes so many frames; a window is always whole."""
    if model.config.model_type in WINDOWED:
        return 1
    samples = frames
    layers = zip(model.config.conv_kernel, model.config.conv_stride, strict=True)
    for kernel, stride in reversed(list(layers)):
        samples = (samples - 1) * stride + kernel
    return int(samples)


def _mask_first_norm(model: Any) -> None:
    """Let the normalisation over time see each clip's own frames alone."""
    base = model.base_model
    first = base.feature_extractor.conv_layers[0]
    first.layer_norm = masked = _masked_group_norm(first.layer_norm)
    kernel, stride = model.config.conv_kernel[0], model.config.conv_stride[0]

    def remember(_module: Any, _args: Any, kwargs: dict[str, Any]) -> None:
        mask = kwargs.get("attention_mask")
        masked.lengths = None if mask is None else (mask.sum(dim=1) - kernel) // stride + 1

    base.register_forward_pre_hook(remember, with_kwargs=True)


def _masked_group_norm(norm: Any) -> Any:
    """The same `GroupNorm`, a group a channel, over the first `lengths` frames of each row."""
    import torch

    class MaskedGroupNorm(torch.nn.Module):
        lengths: Tensor | None = None

        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

        def forward(self, frames: Tensor) -> Tensor:
            """[B, C, T] -> [B, C, T]; what lies behind a row's length is of no consequence."""
            if self.lengths is None:
                normalised: Tensor = norm(frames)
                return normalised
            lengths = self.lengths[:, None, None]
            inside = torch.arange(frames.shape[-1], device=frames.device) < lengths
            wide = frames.float() * inside
            mean = wide.sum(dim=-1, keepdim=True) / lengths
            centred = (frames.float() - mean) * inside
            variance = centred.square().sum(dim=-1, keepdim=True) / lengths
            scaled = centred / (variance + self.eps).sqrt()
            shifted: Tensor = scaled * self.weight[:, None] + self.bias[:, None]
            return shifted.to(frames.dtype)

    return MaskedGroupNorm()
