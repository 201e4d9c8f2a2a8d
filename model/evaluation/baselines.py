"""What a model is held against: the majority, a small network on the same frames, linear probes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.data.clip_set import ClipSet
from model.evaluation.inference import Embedded

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_HIDDEN = (256,)
"""Of the MLP; about 500 thousand weights over large-v3's frames, as in arXiv 2408.07851."""
_FOLDS = 5
_BATCH = 32


@dataclass(frozen=True)
class Summaries:
    """Mean and standard deviation of the frames of each clip, `values` [N, 2 A], and what it is."""

    values: np.ndarray
    emotions: np.ndarray
    languages: np.ndarray

    def chosen(self, kept: np.ndarray) -> Summaries:
        """The clips of a mask [N]."""
        return Summaries(self.values[kept], self.emotions[kept], self.languages[kept])


def summed_up(clips: ClipSet) -> Summaries:
    """Each clip by itself, whatever lies beside it in a batch."""
    rows = [
        np.concatenate([frames.mean(axis=0), frames.std(axis=0)])
        for start in range(0, len(clips), _BATCH)
        for half in clips.frames(np.arange(start, min(start + _BATCH, len(clips))))
        for frames in [half.astype(np.float32)]
    ]
    return Summaries(np.stack(rows), clips.rows.emotions, clips.languages())


def majority(train: ClipSet, test: ClipSet) -> np.ndarray:
    """Verdicts [N]: always the most frequent emotion of the training."""
    return np.full(len(test), np.bincount(train.rows.emotions).argmax())


def frames_and_mlp(train: Summaries, test: Summaries) -> np.ndarray:
    """Verdicts [N] of a small network on mean and deviation of the frames (after 2408.07851)."""
    said: np.ndarray = _fitted(train).predict(test.values)
    return said


def own_language_mlp(train: Summaries, test: Summaries) -> dict[str, np.ndarray]:
    """By language, verdicts of the same network trained on that language alone.

    Mi, Ma and Toda (2026, arXiv 2606.06200) set such a supervised upper bound beside zero-shot. A
    language without training clips of two emotions has none.
    """
    found = {}
    for name in sorted(set(test.languages)):
        own = train.chosen(train.languages == name)
        if len(set(own.emotions)) > 1:
            there = test.chosen(test.languages == name)
            found[str(name)] = frames_and_mlp(own, there)
    return found


@dataclass(frozen=True)
class Readable:
    """Mean recall of a linear probe, and `chance`: that of a guess among as many values."""

    recall: float
    chance: float


def readable(embedded: Embedded) -> dict[str, dict[str, Readable]]:
    """By stage, how well a linear probe reads language and speaker off embeddings.

    Five folds that never part the renditions of one sentence, and share every value out among them:
    a probe doesn't know what it was not fitted on. What has fewer than two values with five
    sentences each is left out, and so are clips of an unknown speaker.
    """
    values = {"language": embedded.languages, "speaker": embedded.speakers}
    found: dict[str, dict[str, Readable]] = {}
    for stage, embeddings in embedded.by_stage.items():
        recalls = {n: _probe(embeddings, v, embedded.sources) for n, v in values.items()}
        found[stage] = {name: recall for name, recall in recalls.items() if recall is not None}
    return found


def _probe(embeddings: np.ndarray, values: np.ndarray, sources: np.ndarray) -> Readable | None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frequent = [v for v in np.unique(values) if v and len(set(sources[values == v])) >= _FOLDS]
    if len(frequent) < 2:
        return None
    kept = np.isin(values, frequent)
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    with _so_many_steps():
        folds = StratifiedGroupKFold(_FOLDS)
        said = cross_val_predict(
            probe, embeddings[kept], values[kept], groups=sources[kept], cv=folds
        )
    recall = float(balanced_accuracy_score(values[kept], said))
    return Readable(recall, 1 / len(frequent))


def _fitted(train: Summaries) -> Pipeline:
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    network = MLPClassifier(_HIDDEN, alpha=1e-2, max_iter=300, random_state=0)
    # Prosody that could not be measured becomes the mean, as it does in the model.
    known = SimpleImputer(keep_empty_features=True)
    fitted = make_pipeline(known, StandardScaler(), network)
    with _so_many_steps():
        return fitted.fit(train.values, train.emotions)


@contextmanager
def _so_many_steps() -> Iterator[None]:
    """Fit without scikit-learn's advice to take more steps: as many as are said are meant."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
