"""The model: frozen Whisper frames -> Emotion Q-Former -> projection -> LLaMA, which names it.

Shapes: B clips, F frames, A the encoder's width, Q query outputs, D the Q-Former's width, H the
language model's, L labels.

    frames [B, F, A], lengths [B]
      -> Q-Former      outputs [B, Q, D], mask [B, Q]
      -> projection    [B, Q, H], inside the prompt: prefix [B, P, H]
      -> LLaMA         log-likelihood [B, L] of each label's word after the prefix
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from model.network.language_model import LanguageModel, load_language_model
from model.network.prosody import CHANNELS
from model.network.qformer import EmotionQFormer, pooled
from model.recipe.training import SPEECH, TrainingRecipe
from pipeline.errors import InputError


@dataclass(frozen=True)
class Heard:
    """What the Q-Former made of a batch: outputs [B, Q, D], mask [B, Q], their mean [B, D]."""

    outputs: Tensor
    mask: Tensor
    embedding: Tensor


class EmotionModel(nn.Module):
    """Names the emotion of speech out of any set of labels."""

    def __init__(
        self, qformer: EmotionQFormer, language_model: LanguageModel, prompts: Sequence[str]
    ) -> None:
        super().__init__()
        self.qformer = qformer
        self.language_model = language_model
        self.projection = nn.Linear(qformer.queries.shape[1], language_model.width)
        self.prompts = tuple(prompts)

    def hear(self, frames: Tensor, lengths: Tensor) -> Heard:
        """Encoder frames to query outputs and their mean."""
        outputs, mask = self.qformer(frames, lengths)
        return Heard(outputs, mask, pooled(outputs, mask))

    def word_log_likelihood(
        self, heard: Heard, prompt: str, tokens: Tensor, counted: Tensor
    ) -> Tensor:
        """Log-likelihood [B, L] of words `tokens` [B, L, W] after a prompt with the speech."""
        prefix, mask = self._prefix(heard, prompt)
        return self.language_model.score(prefix, mask, tokens, counted)

    @torch.no_grad()
    def label_probabilities(self, heard: Heard, labels: Sequence[str]) -> Tensor:
        """Probability [B, L] of each label among the given ones.

        The log-likelihoods are averaged over the prompts: a prompt of which the model is less sure
        weighs less than in a mean of probabilities.

        Raises:
            InputError: fewer than two labels, one twice, or one without a word.
        """
        if len(set(labels)) < max(2, len(labels)) or not all(labels):
            raise InputError(
                f"labels: {', '.join(labels) or 'none'}: name two or more, each once; among fewer "
                "there is nothing to choose"
            )
        tokens, counted = self._words(labels, len(heard.embedding))
        scores = [self.word_log_likelihood(heard, p, tokens, counted) for p in self.prompts]
        return torch.stack(scores).mean(dim=0).softmax(dim=1)

    def _words(self, labels: Sequence[str], clips: int) -> tuple[Tensor, Tensor]:
        tokens, counted = (
            x.to(self.projection.weight.device) for x in self.language_model.words(labels)
        )
        return tokens.expand(clips, -1, -1), counted.expand(clips, -1, -1)

    def _prefix(self, heard: Heard, prompt: str) -> tuple[Tensor, Tensor]:
        """The prompt's embeddings with the speech in its place [B, P, H], and mask [B, P]."""
        before, after = (
            self._text(part, start=place == 0, clips=len(heard.outputs))
            for place, part in enumerate(prompt.split(SPEECH))
        )
        speech = self.projection(heard.outputs).to(before.dtype)
        mask = pad(heard.mask, (before.shape[1], 0), value=True)
        mask = pad(mask, (0, after.shape[1]), value=True)
        return torch.cat([before, speech, after], dim=1), mask

    def _text(self, text: str, start: bool, clips: int) -> Tensor:
        tokens = torch.tensor(self.language_model.tokens(text, start), dtype=torch.long)
        embedded = self.language_model.embed(tokens.to(self.projection.weight.device))
        return embedded.expand(clips, -1, -1)


def make_model(recipe: TrainingRecipe, encoder_width: int) -> EmotionModel:
    """The model of a recipe over frames of this width, its new parts made from the seed.

    Raises:
        InputError: the language model can't be had.
    """
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        language_model = load_language_model(recipe.language_model)
        beside = CHANNELS if recipe.encoder.prosody else 0
        qformer = EmotionQFormer(recipe.qformer, encoder_width, recipe.encoder_layers, beside)
        return EmotionModel(qformer, language_model, recipe.prompts)


def trained_parameters(module: nn.Module) -> dict[str, Tensor]:
    """The parameters that training changes, by name."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def trained_tensors(module: nn.Module) -> dict[str, Tensor]:
    """The trained parameters and what was measured on the training clips: all that is saved."""
    known = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    buffers = {n: t for n, t in module.state_dict(keep_vars=True).items() if n not in known}
    return {**trained_parameters(module), **buffers}
