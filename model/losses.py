"""The losses of both stages, as functions of tensors.

The paper (Zou et al. 2025, arXiv 2503.21806) names its stages but prints no formula that we could
read: the forms below are assumed, each with the work that it is taken from.

Shapes: B rows of a batch, D an embedding's width, T texts, C classes, W tokens of a word, V the
vocabulary. Whatever a batch lacks (positives, known speakers) costs nothing: the loss is then zero,
with a zero gradient, and never NaN.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import cross_entropy, log_softmax, normalize

UNKNOWN = -1
"""Class number of a row that has none, as of a speaker not seen in training."""


def token_log_likelihood(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Log-likelihood of token sequences, summed over their tokens.

    `logits` [..., W, V] foretell `tokens` [..., W], of which `mask` [..., W] counts: [...].
    """
    chosen = log_softmax(_precise(logits), dim=-1).gather(-1, tokens[..., None])[..., 0]
    return (chosen * mask).sum(dim=-1)


def word_loss(log_likelihoods: Tensor, valid_tokens: float) -> Tensor:
    """Negative log-likelihood [B] of each row's emotion word, over the tokens of the whole step.

    `valid_tokens` is counted over all ranks and accumulated batches, so that the gradient does not
    depend on how a step is cut up.
    """
    return -log_likelihoods.sum() / max(valid_tokens, 1.0)


def speech_text_contrast(
    speech: Tensor, texts: Tensor, positives: Tensor, temperature: float
) -> Tensor:
    """Symmetric InfoNCE between speech and text embeddings (Radford et al. 2021, figure 3).

    `speech` [B, D], `texts` [T, D]; `positives` [B, T]: the text names the row's emotion. An
    emotion has several texts and a batch several rows of it, so that CLIP's one positive becomes
    the mean over all of them, as in `L_out` of Khosla et al. (2020, eq. 2).
    """
    similarity = _cosine(speech, texts) / temperature
    weights = positives.to(similarity.dtype)
    of_speech = _mean_over_positives(log_softmax(similarity, dim=1), weights)
    of_texts = _mean_over_positives(log_softmax(similarity.T, dim=1), weights.T)
    return (of_speech + of_texts) / 2


def supervised_contrast(
    embeddings: Tensor,
    emotions: Tensor,
    languages: Tensor,
    sources: Tensor,
    temperature: float,
    language_weight: float = 1.0,
    source_weight: float = 1.0,
) -> Tensor:
    """Supervised contrast across languages (Khosla et al. 2020, eq. 2, `L_out`).

    `embeddings` [B, D]; `emotions`, `languages`, `sources` [B] are numbers that are only compared.
    Positives of an anchor are the other rows of its emotion; their mean is weighted by
    `language_weight` where the language differs (after Mi, Ma and Toda 2026, arXiv 2606.06200; the
    form is assumed), and by `source_weight` where it is the same utterance in another rendition
    (assumed). Both at 1 give the published loss, as a mean over anchors with positives, not a sum.
    """
    others = ~torch.eye(len(embeddings), dtype=torch.bool, device=embeddings.device)
    positives = _equal(emotions) & others
    weights = positives.to(embeddings.dtype)
    weights = torch.where(_equal(languages), weights, weights * language_weight)
    weights = torch.where(_equal(sources), weights * source_weight, weights)
    similarity = _cosine(embeddings, embeddings) / temperature
    similarity = similarity.masked_fill(~others, torch.finfo(similarity.dtype).min)
    return _mean_over_positives(log_softmax(similarity, dim=1), weights)


def class_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy of `logits` [B, C] against `classes` [B], without the `UNKNOWN` rows."""
    known = classes != UNKNOWN
    if not known.any():
        return logits.sum() * 0.0
    return cross_entropy(_precise(logits[known]), classes[known])


def reverse_gradient(values: Tensor, strength: float) -> Tensor:
    """The same values; their gradient comes back negated and scaled (Ganin et al. 2016, eq. 10)."""
    reversed_: Tensor = _Reversal.apply(values, strength)  # type: ignore[no-untyped-call]
    return reversed_


def adversary_strength(progress: float, cap: float) -> float:
    """Ramp of the reversed gradient: 2 / (1 + exp(-10 p)) - 1, at most `cap`.

    `progress` goes from 0 to 1 over the stage (Ganin and Lempitsky 2015, section 4). The cap keeps
    the adversary from taking over; 0.4 is assumed, as public SER code has it.
    """
    return min(cap, 2.0 / (1.0 + math.exp(-10.0 * progress)) - 1.0)


class _Reversal(Function):
    @staticmethod
    def forward(context: Any, values: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, *gradients: Any) -> tuple[Tensor, None]:
        return -context.strength * gradients[0], None


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    """Cosine of all pairs; never in half precision, in which the exponentials lose the ranking."""
    with torch.autocast(one.device.type, enabled=False):  # it would make the product half again
        return normalize(_precise(one), dim=-1) @ normalize(_precise(other), dim=-1).T


def _precise(values: Tensor) -> Tensor:
    """Half precision made single; single and double as they are."""
    return values if values.dtype == torch.float64 else values.float()


def _equal(numbers: Tensor) -> Tensor:
    return numbers[:, None] == numbers[None, :]


def _mean_over_positives(log_probability: Tensor, weights: Tensor) -> Tensor:
    """Mean over the anchors that have positives of the weighted mean over their positives."""
    total = weights.sum(dim=1)
    has = total > 0
    if not has.any():
        return (log_probability * 0.0).sum()
    return -((weights * log_probability).sum(dim=1)[has] / total[has]).mean()
