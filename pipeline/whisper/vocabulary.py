"""Unused vocabulary rows: left out of a small checkpoint's file, restored when it is loaded.

A tiny Whisper that knows 1000 of 51 865 tokens would be nine tenths embedding. A row that was left
out comes back as one whose logit is constant and far below all others, so that the model stays a
complete openai-whisper model: `whisper.decode` on it never chooses such a token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

EMBEDDING = "decoder.token_embedding.weight"
UNUSED_LOGIT = -100.0
"""Assumed: trained logits lie within some tens of zero, and exp(-100) adds nothing to a softmax."""


def drop_unused_rows(embedding: Tensor, vocabulary: Sequence[int]) -> Tensor:
    """The rows [len(vocabulary), D] of an embedding [n_vocab, D], in the vocabulary's order."""
    return embedding[list(vocabulary)].contiguous()


def restore_unused_rows(
    state: Mapping[str, Tensor], vocabulary: Sequence[int], n_vocab: int
) -> Tensor:
    """The embedding [n_vocab, D] of a state dict that holds the rows of `vocabulary` alone.

    Raises:
        ValueError: rows and `vocabulary` don't match, or the final layer norm's bias is too near
            zero to carry a constant logit.
    """
    kept = state[EMBEDDING]
    if len(set(vocabulary)) != len(vocabulary) or len(vocabulary) != len(kept):
        raise ValueError(f"{len(vocabulary)} token ids for {len(kept)} rows")
    full = _constant_logit_row(state["decoder.ln.weight"], state["decoder.ln.bias"])
    full = full.repeat(n_vocab, 1)
    full[list(vocabulary)] = kept
    return full


def _constant_logit_row(weight: Tensor, bias: Tensor) -> Tensor:
    """The row r [D] with r . (weight * z + bias) = UNUSED_LOGIT for every z of mean zero.

    The decoder's last step is a layer norm, whose z has mean zero by construction; so
    r = c / weight leaves c * sum(bias / weight), whatever was heard.
    """
    offset = (bias / weight).sum()
    if not offset.abs() > 1e-3:
        raise ValueError("decoder.ln.bias is too near zero to restore unused rows; keep all rows")
    return UNUSED_LOGIT / offset / weight
