"""The Emotion Q-Former: learned queries read the encoder's frames.

Shapes: B clips, F frames of 20 ms, A the encoder's width, P channels of measured prosody (or none),
Q query outputs, D the Q-Former's width.

    frames [B, F, K A + P], lengths [B]   K layers of the encoder, side by side, and the prosody
      -> scaled by channel and mixed      [B, F, A + P]
      -> outputs [B, Q, D], mask [B, Q] (True where there was speech)

Over the whole clip Q is the number of queries and the mask is all True. In windows of `window_s`
each is read by all queries (SALMONN, Tang et al. 2024, section 3.1: one query, 0.33 s), so that Q
grows with the clip.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from transformers import Blip2QFormerConfig, Blip2QFormerModel

from model.recipe.architecture import QFormerSettings

FRAME_S = 0.02
"""Of Whisper's encoder: two log-mel frames of 10 ms."""


class EmotionQFormer(nn.Module):
    """Learned queries over encoder frames (BLIP-2, Li et al. 2023), without the text branch."""

    def __init__(
        self, settings: QFormerSettings, encoder_width: int, layers: int = 1, beside: int = 0
    ) -> None:
        """`encoder_width` is K A + P: all `layers` side by side and P channels `beside` them."""
        super().__init__()
        self.input = FrameInput(encoder_width, layers, beside)
        config = Blip2QFormerConfig(
            hidden_size=settings.width,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            intermediate_size=4 * settings.width,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=settings.dropout,
            encoder_hidden_size=(encoder_width - beside) // layers + beside,
            cross_attention_frequency=1,
            use_qformer_text_input=False,
        )
        self.qformer = Blip2QFormerModel(config)
        self.queries = nn.Parameter(torch.randn(settings.queries, settings.width) * 0.02)
        self.frame_dropout = settings.frame_dropout
        self.window = math.ceil(settings.window_s / FRAME_S) if settings.window_s else None

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs [B, Q, D] and their mask [B, Q]; frames behind a clip's length are not read."""
        if self.window is None:
            outputs = self._read(frames, _up_to(lengths, frames.shape[1]))
            return outputs, torch.ones(outputs.shape[:2], dtype=torch.bool, device=frames.device)
        return self._read_windows(frames, lengths, self.window)

    def _read(self, frames: Tensor, mask: Tensor) -> Tensor:
        queries = self.queries.expand(len(frames), -1, -1)
        if self.training and self.frame_dropout:
            mask = mask & (torch.rand(mask.shape, device=mask.device) >= self.frame_dropout)
        outputs: Tensor = self.qformer(
            query_embeds=queries,
            encoder_hidden_states=self.input(frames),
            encoder_attention_mask=mask,
        ).last_hidden_state
        return outputs

    def _read_windows(self, frames: Tensor, lengths: Tensor, size: int) -> tuple[Tensor, Tensor]:
        clips, _, width = frames.shape
        frames = pad(frames, (0, 0, 0, -frames.shape[1] % size))
        heard = _up_to(lengths, frames.shape[1]).reshape(-1, size)  # [B * N, size]
        there = heard.any(dim=1)
        outputs = frames.new_zeros(len(heard), *self.queries.shape, dtype=self.queries.dtype)
        read = self._read(frames.reshape(-1, size, width)[there], heard[there])
        outputs = outputs.to(read.dtype).masked_scatter(there[:, None, None], read)
        mask = there[:, None].expand(-1, len(self.queries)).reshape(clips, -1)
        return outputs.reshape(clips, mask.shape[1], -1), mask


class FrameInput(nn.Module):
    """Frames [B, F, K A + P] to [B, F, A + P]: each channel scaled as in training, layers mixed.

    An encoder's channels differ by orders of magnitude, and a constant in one of them drowns what
    moves in the others. A norm within a frame doesn't help: it also takes away how loud it is.
    Prosody that could not be measured counts as the mean of the training.
    """

    def __init__(self, width: int, layers: int, beside: int = 0) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.layers, self.beside = layers, beside
        self.mix = nn.Parameter(torch.zeros(layers)) if layers > 1 else None

    def fit(self, mean: Tensor, deviation: Tensor) -> None:
        """Take mean and standard deviation [K A + P] of the channels over the training frames."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp(min=1e-3 * float(deviation.max())))

    def forward(self, frames: Tensor) -> Tensor:
        """The frames as the Q-Former reads them."""
        scaled = (frames.to(self.mean.dtype) - self.mean) / self.deviation
        own, prosody = scaled.tensor_split([scaled.shape[-1] - self.beside], dim=-1)
        if self.mix is not None:
            layers = own.reshape(*own.shape[:-1], self.layers, -1)
            own = torch.einsum("k,...ka->...a", self.mix.softmax(dim=0), layers)
        return torch.cat([own, prosody.nan_to_num()], dim=-1)


def pooled(outputs: Tensor, mask: Tensor) -> Tensor:
    """Mean of the outputs [B, Q, D] where the mask [B, Q] is True: [B, D]."""
    weights = mask.to(outputs.dtype)[..., None]
    return (outputs * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


def _up_to(lengths: Tensor, frames: int) -> Tensor:
    return torch.arange(frames, device=lengths.device) < lengths[:, None]
