"""Whisper's text decoder over several new tokens of several items at once, each at its own place.

`whisper.model.TextDecoder` keeps one position for a whole batch. Checking a draft needs a position
per item, and a key/value cache from which wrong tokens are forgotten: they are overwritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from whisper.model import MultiHeadAttention, Whisper


class CachedDecoder:
    """One decoding run: the frames that are listened to, and the self-attention cache.

    `frames` [B, F, D] with `lengths` [B]: frames behind an item's length are not attended.
    `capacity`: the longest sequence, prompt included.
    """

    def __init__(self, model: Whisper, frames: Tensor, lengths: Tensor, capacity: int) -> None:
        """Allocate the cache; one more place takes what ragged batches are padded with."""
        self._decoder = model.decoder
        self._frames = frames
        self._unheard = _beyond(lengths, frames)
        self._spare = capacity
        head = model.dims.n_text_state // model.dims.n_text_head
        shape = (len(frames), model.dims.n_text_head, capacity + 1, head)
        self._cache = [
            (frames.new_zeros(shape), frames.new_zeros(shape)) for _ in self._decoder.blocks
        ]

    def hidden(self, feeds: Sequence[Sequence[int]], starts: Sequence[int]) -> Tensor:
        """Last hidden states [B, Q, D] of each item's new tokens, the first of them at `starts`.

        Items with fewer tokens than the longest are padded; their rows behind it mean nothing.
        """
        import torch

        longest = max(map(len, feeds))
        tokens = torch.tensor([[*feed, *[0] * (longest - len(feed))] for feed in feeds])
        places = torch.tensor(
            [
                [start + i if i < len(feed) else self._spare for i in range(longest)]
                for feed, start in zip(feeds, starts, strict=True)
            ]
        )
        ends = [start + len(feed) for feed, start in zip(feeds, starts, strict=True)]
        device = self._frames.device
        return self._forward(tokens.to(device), places.to(device), max(ends))

    def keep(self, items: Sequence[int]) -> None:
        """Forget all other items."""
        self._frames = self._frames[list(items)]
        if self._unheard is not None:
            self._unheard = self._unheard[list(items)]
        self._cache = [(k[list(items)], v[list(items)]) for k, v in self._cache]

    def _forward(self, tokens: Tensor, places: Tensor, end: int) -> Tensor:
        decoder = self._decoder
        positions = decoder.positional_embedding
        x = decoder.token_embedding(tokens) + positions[places.clamp(max=len(positions) - 1)]
        x = x.to(self._frames.dtype)
        for block, cache in zip(decoder.blocks, self._cache, strict=True):
            x = x + _self_attention(block.attn, block.attn_ln(x), places, end, cache)
            x = x + _cross_attention(
                block.cross_attn, block.cross_attn_ln(x), self._frames, self._unheard
            )
            x = x + block.mlp(block.mlp_ln(x))
        hidden: Tensor = decoder.ln(x)
        return hidden


def _beyond(lengths: Tensor, frames: Tensor) -> Tensor | None:
    """True [B, 1, F] where there is no frame; None where every item fills the window."""
    import torch

    if int(lengths.min()) == frames.shape[1]:
        return None
    place = torch.arange(frames.shape[1], device=frames.device)
    return (place >= lengths.to(frames.device)[:, None])[:, None]


def _self_attention(
    attention: MultiHeadAttention, x: Tensor, places: Tensor, end: int, cache: tuple[Tensor, Tensor]
) -> Tensor:
    """Write the new keys and values to their places; each query hears the places up to its own."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    keys, values = cache
    items = torch.arange(len(x), device=x.device)[:, None]
    keys[items, :, places] = _split(attention.key(x), attention.n_head).transpose(1, 2)
    values[items, :, places] = _split(attention.value(x), attention.n_head).transpose(1, 2)
    heard = torch.arange(end, device=x.device) <= places[:, None, :, None]
    query = _split(attention.query(x), attention.n_head)
    out = scaled_dot_product_attention(query, keys[:, :, :end], values[:, :, :end], heard)
    mixed: Tensor = attention.out(out.transpose(1, 2).flatten(2))
    return mixed


def _cross_attention(
    attention: MultiHeadAttention, x: Tensor, frames: Tensor, unheard: Tensor | None
) -> Tensor:
    """Cross-attention that never projects the frames: (W_q x) . (W_k f) = (W_k^T W_q x) . f.

    Keys and values of 1500 frames cost more than all else that a short sentence's decoding does.
    With the projections absorbed into query and output, as in multi-head latent attention
    (DeepSeek-AI 2024, section 2.1), the cost grows with the tokens, fewer than a head is wide.
    """
    items, count, width = x.shape
    heads, head = attention.n_head, width // attention.n_head
    query = _split(attention.query(x), heads) * head**-0.5
    key = attention.key.weight.to(x.dtype).view(heads, head, width)
    scores = (query @ key).view(items, heads * count, width) @ frames.transpose(1, 2)
    if unheard is not None:
        scores = scores.masked_fill(unheard, float("-inf"))
    mixed = scores.float().softmax(dim=-1).to(x.dtype) @ frames
    value = attention.value.weight.to(x.dtype).view(heads, head, width)
    out = mixed.view(items, heads, count, width) @ value.transpose(1, 2)
    out = out.transpose(1, 2).flatten(2) + attention.value.bias.to(x.dtype)
    projected: Tensor = attention.out(out)
    return projected


def _split(x: Tensor, heads: int) -> Tensor:
    """[B, Q, D] -> [B, heads, Q, D / heads]."""
    return x.view(*x.shape[:2], heads, -1).transpose(1, 2)
