"""A trained model asked about many clips: its verdicts, and its embeddings stage by stage.

Shapes: N clips, L labels, D the Q-Former's width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from model.data import ClipSet
from model.ser import EmotionModel, Heard

_BATCH = 32
_EMBEDDED = 1000
"""Clips of the training that are enough to see what an embedding tells of."""


@dataclass(frozen=True)
class Embedded:
    """Embeddings [N, D] by stage of the training, and what is known [N] of the clips, in words."""

    by_stage: Mapping[str, np.ndarray]
    emotions: np.ndarray
    languages: np.ndarray
    speakers: np.ndarray
    sources: np.ndarray
    held_out: np.ndarray
    """Whether a clip is of the test and not of the training."""


def verdicts(
    model: EmotionModel, clips: ClipSet, labels: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities [N, L] of the labels and embeddings [N, D] of all clips."""
    probabilities, embeddings = [], []
    with _in_use(model):
        for heard in _heard(model, clips):
            probabilities.append(model.label_probabilities(heard, labels).cpu().numpy())
            embeddings.append(heard.embedding.float().cpu().numpy())
    return np.concatenate(probabilities), np.concatenate(embeddings)


def embeddings(model: EmotionModel, clips: ClipSet) -> np.ndarray:
    """Embeddings [N, D] of all clips."""
    with _in_use(model):
        found = [heard.embedding.float().cpu().numpy() for heard in _heard(model, clips)]
    return np.concatenate(found)


def embed(models: Iterator[tuple[str, EmotionModel]], train: ClipSet, test: ClipSet) -> Embedded:
    """Clips of training and test through the models of some stages, each named."""
    chosen = np.random.default_rng(0).permutation(len(train))[:_EMBEDDED]
    sets = (train.chosen(np.sort(chosen)), test)
    by_stage = {
        name: np.concatenate([embeddings(model, clips) for clips in sets]) for name, model in models
    }
    return Embedded(
        by_stage,
        emotions=np.concatenate([np.array(c.labels)[c.rows.emotions] for c in sets]),
        languages=np.concatenate([c.languages().astype(str) for c in sets]),
        speakers=np.concatenate([c.speakers() for c in sets]),
        sources=np.concatenate([c.sources() for c in sets]),
        held_out=np.repeat([False, True], [len(c) for c in sets]),
    )


@contextmanager
def _in_use(model: EmotionModel) -> Iterator[None]:
    """The model in eval mode and without gradients, and then as it was."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def _heard(model: EmotionModel, clips: ClipSet) -> Iterator[Heard]:
    device = model.projection.weight.device
    for start in range(0, len(clips), _BATCH):
        batch = clips.batch(np.arange(start, min(start + _BATCH, len(clips)))).to(device)
        yield model.hear(batch.frames, batch.lengths)
