"""The losses, each against a slow float64 reading of its formula, and their gradients."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from model.losses import (
    UNKNOWN,
    _cosine,
    adversary_strength,
    class_loss,
    reverse_gradient,
    speech_text_contrast,
    supervised_contrast,
    token_log_likelihood,
    word_loss,
)

EMOTIONS = torch.tensor([0, 0, 1, 1, 0, 2])
LANGUAGES = torch.tensor([0, 1, 0, 0, 1, 1])
SOURCES = torch.tensor([7, 7, 8, 9, 10, 11])


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)


def unit(rows):
    return [row / np.linalg.norm(row) for row in rows.detach().numpy()]


def test_the_word_s_likelihood_is_the_product_of_its_tokens_probabilities():
    logits = random(2, 3, 5)
    tokens = torch.tensor([[1, 4, 0], [2, 2, 3]])
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    found = token_log_likelihood(logits, tokens, mask)
    for row in range(2):
        product = 1.0
        for place in range(3):
            exponentials = np.exp(logits[row, place].detach().numpy())
            if mask[row, place]:
                product *= exponentials[tokens[row, place]] / exponentials.sum()
        assert found[row].item() == pytest.approx(math.log(product), rel=1e-9)
    assert gradcheck(lambda x: token_log_likelihood(x, tokens, mask), (logits,))


def test_the_word_loss_does_not_depend_on_how_a_step_is_cut_up():
    values = random(6)
    whole = word_loss(values, 30)
    parts = word_loss(values[:2], 30) + word_loss(values[2:], 30)
    assert whole.item() == pytest.approx(parts.item(), rel=1e-12)
    assert gradcheck(lambda x: word_loss(x, 30), (values,))


def slow_contrast(speech, texts, positives, temperature):
    speech, texts = unit(speech), unit(texts)
    similar = np.array([[s @ t / temperature for t in texts] for s in speech])

    def one_side(similar, positives):
        terms = []
        for row, of_row in zip(similar, positives, strict=True):
            if of_row.any():
                logs = [math.log(math.exp(value) / np.exp(row).sum()) for value in row]
                terms.append(-np.mean([v for v, p in zip(logs, of_row, strict=True) if p]))
        return np.mean(terms)

    return (one_side(similar, positives) + one_side(similar.T, positives.T)) / 2


def test_the_speech_text_contrast_takes_several_texts_and_duplicates():
    speech, texts = random(6, 4), random(5, 4, seed=1)
    of_text = torch.tensor([0, 0, 1, 1, 3])  # no text for emotion 2, no row for emotion 3
    positives = EMOTIONS[:, None] == of_text[None, :]
    found = speech_text_contrast(speech, texts, positives, 0.5)
    assert found.item() == pytest.approx(
        slow_contrast(speech, texts, positives.numpy(), 0.5), rel=1e-9
    )
    assert gradcheck(lambda s, t: speech_text_contrast(s, t, positives, 0.5), (speech, texts))


def test_with_one_text_a_row_the_contrast_is_clip_s():
    speech, texts = random(4, 3), random(4, 3, seed=1)
    positives = torch.eye(4, dtype=torch.bool)
    logits = torch.nn.functional.cosine_similarity(speech[:, None], texts[None], dim=-1) / 0.07
    target = torch.arange(4)
    clip = (
        torch.nn.functional.cross_entropy(logits, target)
        + torch.nn.functional.cross_entropy(logits.T, target)
    ) / 2
    assert speech_text_contrast(speech, texts, positives, 0.07).item() == pytest.approx(clip.item())


def slow_supervised(embeddings, temperature, language_weight, source_weight):
    z = unit(embeddings)
    terms = []
    for i in range(len(z)):
        below = sum(math.exp(z[i] @ z[a] / temperature) for a in range(len(z)) if a != i)
        total = weights = 0.0
        for p in range(len(z)):
            if p == i or EMOTIONS[p] != EMOTIONS[i]:
                continue
            weight = language_weight if LANGUAGES[p] != LANGUAGES[i] else 1.0
            weight *= source_weight if SOURCES[p] == SOURCES[i] else 1.0
            total -= weight * math.log(math.exp(z[i] @ z[p] / temperature) / below)
            weights += weight
        if weights:
            terms.append(total / weights)
    return np.mean(terms)


@pytest.mark.parametrize("weights", [(1.0, 1.0), (2.0, 1.0), (1.5, 3.0)])
def test_the_supervised_contrast_weighs_languages_and_sources(weights):
    embeddings = random(6, 4)

    def loss(z):
        return supervised_contrast(z, EMOTIONS, LANGUAGES, SOURCES, 0.3, *weights)

    assert loss(embeddings).item() == pytest.approx(slow_supervised(embeddings, 0.3, *weights))
    assert gradcheck(loss, (embeddings,))


def test_a_heavier_language_weight_pulls_harder_across_languages():
    embeddings = random(6, 4)
    pulls = []
    for weight in (1.0, 4.0):
        loss = supervised_contrast(embeddings, EMOTIONS, LANGUAGES, SOURCES, 0.3, weight)
        (gradient,) = torch.autograd.grad(loss, embeddings)
        moved = torch.nn.functional.normalize(embeddings - 1e-3 * gradient, dim=1)
        pulls.append((moved[0] @ moved[1]).item())
    assert pulls[1] > pulls[0]


def no_positives(z):
    numbers = torch.arange(len(z))
    return supervised_contrast(z, numbers, numbers, numbers, 0.07, 2.0, 2.0)


@pytest.mark.parametrize(
    "loss",
    [
        no_positives,
        lambda z: no_positives(z[:1]),
        lambda z: speech_text_contrast(z, z[:2], torch.zeros(3, 2, dtype=torch.bool), 0.07),
        lambda z: class_loss(z, torch.full((3,), UNKNOWN)),
    ],
)
def test_what_has_no_positives_costs_nothing_and_moves_nothing(loss):
    embeddings = random(3, 4)
    found = loss(embeddings)
    found.backward()
    assert found.item() == 0.0
    assert torch.equal(embeddings.grad, torch.zeros_like(embeddings))


def test_a_row_of_zeros_gives_a_finite_gradient():
    embeddings = torch.zeros(4, 3, requires_grad=True)
    numbers = torch.tensor([0, 0, 1, 1])
    supervised_contrast(embeddings, numbers, numbers, numbers, 0.07).backward()
    assert torch.isfinite(embeddings.grad).all()


def test_half_precision_is_contrasted_in_single():
    embeddings = random(6, 4).detach()
    half = supervised_contrast(embeddings.bfloat16(), EMOTIONS, LANGUAGES, SOURCES, 0.07)
    single = supervised_contrast(embeddings.bfloat16().float(), EMOTIONS, LANGUAGES, SOURCES, 0.07)
    assert half.dtype == torch.float32
    assert half.item() == single.item()


def test_autocast_does_not_make_the_cosines_half():
    crowded = 1 + 0.02 * random(8, 16).detach().float()
    with torch.autocast("cpu", torch.bfloat16):
        found = _cosine(crowded, crowded)
    assert found.dtype == torch.float32
    assert torch.equal(found, _cosine(crowded, crowded))


def test_the_class_loss_leaves_unknown_rows_out():
    logits = random(4, 3)
    classes = torch.tensor([2, UNKNOWN, 0, UNKNOWN])
    exponentials = np.exp(logits.detach().numpy())
    own = [exponentials[r][c] / exponentials[r].sum() for r, c in ((0, 2), (2, 0))]
    slow = -np.mean(np.log(own))
    assert class_loss(logits, classes).item() == pytest.approx(slow, rel=1e-9)
    assert gradcheck(lambda x: class_loss(x, classes), (logits,))


def test_the_gradient_is_reversed_and_scaled():
    values = random(3)
    kept = reverse_gradient(values, 0.4)
    kept.square().sum().backward()
    assert torch.equal(kept, values)
    assert torch.allclose(values.grad, -0.4 * 2 * values.detach())


def test_the_adversary_ramps_up_to_its_cap():
    steps = [adversary_strength(p / 10, 0.4) for p in range(11)]
    assert steps[0] == 0.0
    assert steps == sorted(steps)
    assert adversary_strength(0.05, 1.0) == pytest.approx(2 / (1 + math.exp(-0.5)) - 1)
    assert steps[-1] == 0.4
