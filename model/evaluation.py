"""What a trained model is worth on a split: by language and in all, beside two baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from model.data import ClipSet
from model.metrics import Metrics, confusion, measure

_HIDDEN = (256,)
"""Of the MLP; about 500 thousand weights over large-v3's frames, as in arXiv 2408.07851."""


@dataclass(frozen=True)
class Evaluation:
    """Metrics by system and language (`all`: together), and the model's confusion in all."""

    labels: tuple[str, ...]
    metrics: dict[str, dict[str, Metrics]]
    counts: dict[str, np.ndarray]
    readable: dict[str, float]
    encoder_is_random: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "labels": list(self.labels),
            "metrics": {
                system: {language: m.as_dict() for language, m in by_language.items()}
                for system, by_language in self.metrics.items()
            },
            "confusion": {language: counts.tolist() for language, counts in self.counts.items()},
            "readable_off_the_embedding": self.readable,
            "encoder_is_random": self.encoder_is_random,
        }

    def print_to(self, console: Console) -> None:
        """For a person: a row a language and system."""
        table = Table("language", "system", "clips", "UA %", "95 %", "WA %", "F1 %")
        for language in self.counts:
            for system, by_language in self.metrics.items():
                one = by_language[language]
                low, high = (100 * bound for bound in one.ua_interval)
                table.add_row(
                    language,
                    system,
                    str(one.clips),
                    f"{100 * one.ua:.1f}",
                    f"{low:.0f} to {high:.0f}",
                    f"{100 * one.wa:.1f}",
                    f"{100 * one.f1:.1f}",
                )
        console.print(table)
        for name, accuracy in self.readable.items():
            console.print(f"a linear probe reads the {name} off the embedding: UA {accuracy:.1%}")
        if self.encoder_is_random:
            console.print("the encoder is random: these numbers say nothing of Whisper's frames")


def evaluate(
    probabilities: np.ndarray,
    embeddings: np.ndarray,
    train: ClipSet,
    test: ClipSet,
    encoder_is_random: bool,
) -> Evaluation:
    """Hold a model's probabilities [N, L] on the test clips against the majority and an MLP.

    `embeddings` [N, D] are asked for language and speaker, by cross-validation on the test clips.
    """
    verdict = {
        "m5ser": probabilities.argmax(axis=1),
        "majority": _majority(train, test),
        "frames + MLP": _mlp(train, test),
    }
    groups = {"all": np.ones(len(test), dtype=bool)}
    languages = test.languages()
    groups |= {str(name): languages == name for name in sorted(set(languages))}
    truth, classes = test.rows.emotions, len(test.labels)
    return Evaluation(
        test.labels,
        {
            system: {name: measure(truth[k], said[k], classes) for name, k in groups.items()}
            for system, said in verdict.items()
        },
        {name: confusion(truth[k], verdict["m5ser"][k], classes) for name, k in groups.items()},
        _readable(embeddings, test),
        encoder_is_random,
    )


def _majority(train: ClipSet, test: ClipSet) -> np.ndarray:
    """Always the most frequent emotion of the training."""
    return np.full(len(test), np.bincount(train.rows.emotions).argmax())


def _mlp(train: ClipSet, test: ClipSet) -> np.ndarray:
    """A small network on the mean and deviation of the same frames (after arXiv 2408.07851)."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    network = MLPClassifier(_HIDDEN, alpha=1e-2, max_iter=300, random_state=0)
    fitted = make_pipeline(StandardScaler(), network).fit(_summed_up(train), train.rows.emotions)
    said: np.ndarray = fitted.predict(_summed_up(test))
    return said


def _summed_up(clips: ClipSet) -> np.ndarray:
    """Mean and standard deviation over the frames of each clip [N, 2 A], clip by clip."""
    rows = []
    for number in range(len(clips)):
        frames = clips.frames([number])[0].astype(np.float32)
        rows.append(np.concatenate([frames.mean(axis=0), frames.std(axis=0)]))
    return np.stack(rows)


def _readable(embeddings: np.ndarray, clips: ClipSet) -> dict[str, float]:
    """How well a linear probe reads language and speaker: mean recall in five folds.

    What has fewer than two values with five clips each is left out.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = {}
    for name, values in (("language", clips.rows.languages), ("speaker", clips.rows.speakers)):
        kinds, counts = np.unique(values, return_counts=True)
        enough = np.isin(values, kinds[counts >= 5])
        if len(set(values[enough])) < 2:
            continue
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        scores = cross_val_score(
            probe, embeddings[enough], values[enough], cv=5, scoring="balanced_accuracy"
        )
        found[name] = float(scores.mean())
    return found
