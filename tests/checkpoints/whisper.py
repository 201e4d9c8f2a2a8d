"""Tiny random Whispers in the real format, whose transcripts are varied and end early or late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.whisper.vocabulary import EMBEDDING, restore_unused_rows

if TYPE_CHECKING:
    from whisper.model import Whisper

MULTILINGUAL_VOCABULARY = 51865
ENGLISH_VOCABULARY = 51864
_SLOPE = 4.0
"""Of the position's part in a hidden state; found by trial, so that `end_after` is about right."""


def tiny_whisper(
    seed: int = 0,
    *,
    width: int = 32,
    heads: int = 4,
    layers: int = 2,
    n_mels: int = 80,
    audio_ctx: int = 100,
    text_ctx: int = 64,
    n_vocab: int = MULTILINGUAL_VOCABULARY,
    end_after: float | None = None,
    words_only: bool = False,
) -> Whisper:
    """A Whisper of random weights, scaled so that each token depends on the audio and on the past.

    `end_after`: transcripts end after about so many tokens, varied by what is heard; None: at the
    longest that Whisper writes. `words_only`: all other rows of the (multilingual) vocabulary are
    restored as unused ones, so that a transcript's text gives back its tokens.
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    dims = ModelDimensions(
        n_mels, audio_ctx, width, heads, layers, n_vocab, text_ctx, width, heads, layers
    )
    torch.manual_seed(seed)
    model = Whisper(dims)
    for name, parameter in model.named_parameters():
        if "token_embedding" in name:
            torch.nn.init.normal_(parameter, std=0.3)
        elif name.endswith(("query.weight", "key.weight")) or "cross_attn.value.weight" in name:
            torch.nn.init.normal_(parameter, std=3.0 * width**-0.5)
        elif name.endswith(".weight") and parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=1.5 * width**-0.5)
        elif "positional_embedding" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    torch.nn.init.normal_(model.decoder.ln.bias, std=0.3)
    if end_after is not None:
        _end_after(model, end_after)
    if words_only:
        kept = word_vocabulary()
        state = {**model.state_dict(), EMBEDDING: model.state_dict()[EMBEDDING][kept]}
        restored = restore_unused_rows(state, kept, n_vocab)
        model.decoder.token_embedding.weight.data.copy_(restored)
    return model.eval().requires_grad_(False)


def word_vocabulary() -> list[int]:
    """The multilingual tokens that are a space and a lower-case word, and what frames a text."""
    from whisper.tokenizer import get_tokenizer

    tokenizer = get_tokenizer(True)
    spelled = {i: tokenizer.encoding.decode_single_token_bytes(i) for i in range(tokenizer.eot)}
    words = [i for i, text in spelled.items() if text[:1] == b" " and text[1:].isalpha()]
    lower = [i for i in words if spelled[i].isascii() and spelled[i].islower()]
    return lower + list(range(tokenizer.eot, tokenizer.timestamp_begin))


def _end_after(model: Whisper, tokens: float) -> None:
    """Let the end of text's logit grow with the position, by a direction of the embedding's own."""
    import torch

    decoder = model.decoder
    width = model.dims.n_text_state
    end = 50257 if model.dims.n_vocab == MULTILINGUAL_VOCABULARY else 50256
    direction = torch.nn.functional.normalize(torch.randn(width), dim=0)
    places = torch.arange(model.dims.n_text_ctx)[:, None] / tokens
    with torch.no_grad():
        decoder.positional_embedding += _SLOPE * places * direction * width**0.5
        decoder.token_embedding.weight[end] = direction * 4.0
