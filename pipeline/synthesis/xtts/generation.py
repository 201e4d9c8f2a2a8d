"""XTTS' autoregressive decoder for many texts at a time.

coqui-tts speaks one text at a time (`Xtts.inference`). Here prompts of any length run together,
padded on the left; the decoder has learned positions inside each part and none of its own (its
`wpe` is zero), so padding that is masked moves nothing. A text that has ended leaves the batch.

coqui-tts also runs the decoder a second time over the finished tokens to get the latents that the
vocoder speaks. Attention is causal, so those are the hidden states of the steps themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_PROMPT_TOKEN = 1
"""What coqui-tts writes for the prompt into the tokens whose repetition it penalizes."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen, as in `transformers`' generate; `temperature` 0 is greedy."""

    temperature: float
    top_k: int
    top_p: float
    repetition_penalty: float
    max_tokens: int


@dataclass(frozen=True)
class Spoken:
    """Latents of one text [T, D], and whether it was cut off at the most tokens allowed."""

    latents: Tensor
    hit_length_cap: bool


def prompt_of(gpt: Any, conditioning: Tensor, tokens: Sequence[int]) -> Tensor:
    """What a text's audio tokens follow: its voice's latents [32, D], then its text; [P, D]."""
    import torch

    framed = [gpt.start_text_token, *tokens, gpt.stop_text_token]
    ids = torch.tensor([framed], device=conditioning.device)
    text = gpt.text_embedding(ids) + gpt.text_pos_embedding(ids)
    return torch.cat([conditioning.to(text.dtype), text[0]])


def generate(
    gpt: Any, prompts: Sequence[Tensor], seeds: Sequence[int], sampling: Sampling
) -> list[Spoken]:
    """Speak every prompt [P, D]; each answer is independent of the prompts around it.

    `gpt` is the `TTS.tts.layers.xtts.gpt.GPT` of a loaded XTTS.
    """
    import torch
    from transformers import DynamicCache

    inputs, mask = _left_padded(gpt, prompts)
    choice = _Choice(gpt, seeds, sampling, inputs.device)
    cache = DynamicCache()
    running = list(range(len(prompts)))
    latents: list[list[Tensor]] = [[] for _ in prompts]
    for step in range(sampling.max_tokens):
        output = gpt.gpt(
            inputs_embeds=inputs, attention_mask=mask, past_key_values=cache, use_cache=True
        )
        hidden = gpt.final_norm(output.last_hidden_state[:, -1])
        for text, latent in zip(running, hidden, strict=True):
            latents[text].append(latent)
        tokens = choice(gpt.mel_head(hidden).float(), step)
        going = torch.nonzero(tokens != gpt.stop_audio_token).flatten()
        if len(going) < len(running):
            running = [running[row] for row in going.tolist()]
            if not running:
                break
            tokens, mask = tokens[going], mask[going]
            choice.keep(going)
            cache.batch_select_indices(going)
        inputs = _embedded(gpt, tokens, step + 1)
        mask = torch.nn.functional.pad(mask, (0, 1), value=1)
    capped = set(running)
    return [Spoken(torch.stack(of_text), at in capped) for at, of_text in enumerate(latents)]


def _left_padded(gpt: Any, prompts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Prompts with the token that starts the audio [B, P + 1, D], and the mask of both."""
    import torch

    longest = max(len(prompt) for prompt in prompts)
    pad = torch.nn.functional.pad
    inputs = torch.stack([pad(one, (0, 0, longest - len(one), 0)) for one in prompts])
    mask = torch.stack([pad(one.new_ones(len(one)), (longest - len(one), 0)) for one in prompts])
    start = torch.full((len(prompts),), gpt.start_audio_token, device=inputs.device)
    inputs = torch.cat([inputs, _embedded(gpt, start, 0)], dim=1)
    return inputs, pad(mask.long(), (0, 1), value=1)


def _embedded(gpt: Any, tokens: Tensor, step: int) -> Tensor:
    """Audio tokens [B] at a place, as inputs [B, 1, D]."""
    at = gpt.mel_pos_embedding.get_fixed_embedding(step, tokens.device)
    embedded: Tensor = gpt.mel_embedding(tokens[:, None]) + at
    return embedded


class _Choice:
    """Chooses each text's next token; what it has said before is less likely.

    Every text has its own random numbers, drawn on the CPU, one a step, so that its sample depends
    neither on the texts around it nor on the device.
    """

    def __init__(self, gpt: Any, seeds: Sequence[int], sampling: Sampling, device: Any) -> None:
        import torch

        self._sampling = sampling
        self._said = torch.zeros(len(seeds), gpt.num_audio_tokens, dtype=torch.bool, device=device)
        self._said[:, [_PROMPT_TOKEN, gpt.start_audio_token]] = True
        draws = [
            torch.rand(sampling.max_tokens, generator=torch.Generator().manual_seed(seed))
            for seed in seeds
        ]
        self._draws = torch.stack(draws).to(device)

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only."""
        self._said, self._draws = self._said[rows], self._draws[rows]

    def __call__(self, logits: Tensor, step: int) -> Tensor:
        """The next tokens [B] by logits [B, V]."""
        import torch

        penalty = self._sampling.repetition_penalty
        less_likely = torch.where(logits < 0, logits * penalty, logits / penalty)
        logits = torch.where(self._said, less_likely, logits)
        if self._sampling.temperature == 0:
            tokens = logits.argmax(dim=-1)
        else:
            tokens = self._sampled(logits / self._sampling.temperature, self._draws[:, step])
        self._said.scatter_(1, tokens[:, None], True)
        return tokens

    def _sampled(self, logits: Tensor, draws: Tensor) -> Tensor:
        """Tokens at the drawn places of the distribution that top-k and then top-p leave."""
        top_k = min(self._sampling.top_k, logits.shape[1])
        values, ids = logits.topk(top_k)
        probabilities = values.softmax(dim=-1)
        before = probabilities.cumsum(dim=-1) - probabilities
        left = probabilities.where(before < self._sampling.top_p, 0.0).cumsum(dim=-1)
        places = (left <= draws[:, None] * left[:, -1:]).sum(dim=-1, keepdim=True)
        return ids.gather(1, places.clamp(max=top_k - 1))[:, 0]
