"""XTTS' decoder in batches, against one text at a time and against coqui-tts' own call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.audio import Clip
from pipeline.synthesis.xtts.checkpoint import load_xtts
from pipeline.synthesis.xtts.conditioning import Conditioner, Conditioning
from pipeline.synthesis.xtts.generation import Sampling, Spoken, generate, prompt_of
from pipeline.synthesis.xtts.text import encode

TEXTS = ("Ja.", "Die Kinder reden an der Tür.", "Nein!", "Wo bist du denn gewesen, mein Freund?")
GREEDY = Sampling(0.0, top_k=50, top_p=0.85, repetition_penalty=5.0, max_tokens=24)
SAMPLED = replace(GREEDY, temperature=0.9)


@pytest.fixture(scope="module")
def model(checkpoint: Callable[[str], Path]) -> Any:
    return load_xtts(checkpoint("xtts"), "cpu", "float32")


@pytest.fixture(scope="module")
def voices(model: Any, recording: Callable[[int, float], Clip]) -> list[Conditioning]:
    conditioner = Conditioner(model)
    heard = [conditioner([recording(number, 0.6)]) for number in range(2)]
    return [one for one in heard if isinstance(one, Conditioning)]


@pytest.fixture(scope="module")
def prompts(model: Any, voices: list[Conditioning]) -> list[torch.Tensor]:
    tokens = [encode(model.tokenizer, text, "de") for text in TEXTS]
    with torch.inference_mode():
        return [
            prompt_of(model.gpt, voices[at % 2].latents, ids)
            for at, ids in enumerate(tokens)
            if isinstance(ids, list)
        ]


def spoken(
    model: Any, prompts: list[torch.Tensor], seeds: list[int], how: Sampling
) -> list[Spoken]:
    with torch.inference_mode():
        return generate(model.gpt, prompts, seeds, how)


@pytest.mark.parametrize("how", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_batched_equals_single(model: Any, prompts: list[torch.Tensor], how: Sampling) -> None:
    batch = spoken(model, prompts, [5, 6, 7, 8], how)
    assert len({len(one.latents) for one in batch}) > 1, "texts of one length prove too little"
    for at, one in enumerate(batch):
        (single,) = spoken(model, [prompts[at]], [5 + at], how)
        assert single.hit_length_cap == one.hit_length_cap
        torch.testing.assert_close(single.latents, one.latents, atol=1e-4, rtol=1e-4)


def test_greedy_equals_upstreams_own_call(
    model: Any, prompts: list[torch.Tensor], voices: list[Conditioning]
) -> None:
    for at, one in enumerate(spoken(model, prompts, [0] * 4, GREEDY)):
        ids = encode(model.tokenizer, TEXTS[at], "de")
        latents = upstream_latents(model, ids, voices[at % 2])
        np.testing.assert_allclose(one.latents, latents, atol=1e-4, rtol=1e-4)


def upstream_latents(model: Any, ids: Any, voice: Conditioning) -> np.ndarray:
    """What `Xtts.inference` does before the vocoder."""
    tokens = torch.tensor([ids], dtype=torch.int32)
    with torch.no_grad():
        codes = model.gpt.generate(
            cond_latents=voice.latents[None], text_inputs=tokens, do_sample=False, num_beams=1,
            num_return_sequences=1, repetition_penalty=5.0,
        )  # fmt: skip
        latents = model.gpt(
            tokens, torch.tensor([tokens.shape[1]]), codes,
            torch.tensor([codes.shape[1] * model.gpt.code_stride_len]),
            cond_latents=voice.latents[None], return_attentions=False, return_latent=True,
        )  # fmt: skip
    return np.asarray(latents[0])


def test_a_seed_decides_a_sample(model: Any, prompts: list[torch.Tensor]) -> None:
    first, again, other = (spoken(model, prompts[1:2], [s], SAMPLED)[0].latents for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_a_text_that_does_not_end_is_marked(model: Any, prompts: list[torch.Tensor]) -> None:
    cut = spoken(model, prompts, [0] * 4, replace(GREEDY, max_tokens=2))
    assert all(one.hit_length_cap and len(one.latents) == 2 for one in cut)
    whole = spoken(model, prompts, [0] * 4, GREEDY)
    assert not all(one.hit_length_cap for one in whole)


def test_samples_follow_the_distribution_that_top_k_and_top_p_leave(model: Any) -> None:
    """Against transformers' own warpers: the share of each token over many seeds."""
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    from pipeline.synthesis.xtts.generation import _Choice

    how = Sampling(0.8, top_k=5, top_p=0.7, repetition_penalty=1.0, max_tokens=1)
    torch.manual_seed(0)
    logits = torch.randn(1, model.gpt.num_audio_tokens) * 2
    wanted = logits
    for warper in (TemperatureLogitsWarper(0.8), TopKLogitsWarper(5), TopPLogitsWarper(0.7)):
        wanted = warper(torch.zeros(1, 1, dtype=torch.long), wanted)
    rows = 4000
    choice = _Choice(model.gpt, list(range(rows)), how, torch.device("cpu"))
    tokens = choice(logits.expand(rows, -1), 0)
    shares = torch.bincount(tokens, minlength=logits.shape[1]) / rows
    torch.testing.assert_close(shares, wanted.softmax(-1)[0], atol=0.03, rtol=0)
