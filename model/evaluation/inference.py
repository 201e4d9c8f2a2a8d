"""A trained model asked about many clips: its verdicts, and its embeddings stage by stage.

Shapes: N clips, L labels, D the Q-Former's width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from model.data.clip_set import ClipSet
from model.network.encoder import SAMPLING_RATE, FrozenEncoder
from model.network.ser import EmotionModel, Heard

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


def predict(
    model: EmotionModel,
    encoder: FrozenEncoder,
    clips: Sequence[np.ndarray],
    labels: Sequence[str],
    longest_s: float,
) -> np.ndarray:
    """Probabilities [N, L] of the labels for clips, each float32 [T] at 16 kHz and of any length.

    What is longer than `longest_s`, the most that the model was trained on, is heard whole, in as
    few windows of equal length as that allows. A clip's log-probability of a label is the mean of
    its windows', normalised anew: each second weighs the same, and a window that rules a label out
    counts for more than in a mean of probabilities.

    Raises:
        InputError: the labels leave no choice.
    """
    windows = [_windows(clip, longest_s) for clip in clips]
    every = [window for one in windows for window in one]
    with _in_use(model):
        found = [
            _probabilities(model, encoder, every[start : start + _BATCH], labels)
            for start in range(0, len(every), _BATCH)
        ]
    logs = np.log(np.maximum(np.concatenate(found), 1e-30))
    ends = np.cumsum([len(one) for one in windows])
    means = np.exp([part.mean(axis=0) for part in np.split(logs, ends[:-1])])
    return np.asarray(means / means.sum(axis=1, keepdims=True))


def _windows(clip: np.ndarray, longest_s: float) -> list[np.ndarray]:
    return np.array_split(clip, math.ceil(len(clip) / (longest_s * SAMPLING_RATE)))


def _probabilities(
    model: EmotionModel,
    encoder: FrozenEncoder,
    clips: Sequence[np.ndarray],
    labels: Sequence[str],
) -> np.ndarray:
    device = model.projection.weight.device
    frames = [torch.from_numpy(one).float().to(device) for one in encoder.encode(clips)]
    lengths = torch.tensor([len(one) for one in frames], device=device)
    heard = model.hear(pad_sequence(frames, batch_first=True), lengths)
    found: np.ndarray = model.label_probabilities(heard, labels).cpu().numpy()
    return found


def embeddings(model: EmotionModel, clips: ClipSet) -> np.ndarray:
    """Embeddings [N, D] of all clips."""
    with _in_use(model):
        found = [heard.embedding.float().cpu().numpy() for heard in _heard(model, clips)]
    return np.concatenate(found)


def embed(
    models: Iterator[tuple[str, EmotionModel]], train: ClipSet | None, test: ClipSet
) -> Embedded:
    """Clips of training, if there are any, and test through the models of some stages, named."""
    sets = [test] if train is None else [_some(train), test]
    by_stage = {
        name: np.concatenate([embeddings(model, clips) for clips in sets]) for name, model in models
    }
    return Embedded(
        by_stage,
        emotions=np.concatenate([np.array(c.labels)[c.rows.emotions] for c in sets]),
        languages=np.concatenate([c.languages().astype(str) for c in sets]),
        speakers=np.concatenate([c.speakers() for c in sets]),
        sources=np.concatenate([c.sources() for c in sets]),
        held_out=np.concatenate([np.full(len(c), c is test) for c in sets]),
    )


def _some(clips: ClipSet) -> ClipSet:
    """At most `_EMBEDDED` of the clips, in their order."""
    chosen = np.random.default_rng(0).permutation(len(clips))[:_EMBEDDED]
    return clips.chosen(np.sort(chosen))


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
