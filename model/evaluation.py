"""What a trained model is worth on a split: by language and in all, beside baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from model.baselines import frames_and_mlp, majority, own_language_mlp
from model.data import ClipSet
from model.metrics import Metrics, confusion, measure
from pipeline.cards.losses import FEWEST_SPEAKERS

Drawn = Literal["speakers", "utterances"]

ALL = "all"
MODEL, MAJORITY, MLP = "m5ser", "majority", "frames + MLP"
OWN_MLP = "frames + MLP, trained on this language"
COLUMNS = ("language", "system", "clips", "UA %", "95 %", "WA %", "F1 %")


@dataclass(frozen=True)
class Evaluation:
    """Metrics by system and language (`all`: together), and the model's confusion matrices.

    `readable`: by stage of the training, how well a linear probe reads language and speaker off
    the embedding after it. `drawn`: of what the intervals are a bootstrap. `caveats`: what else the
    numbers have to be read with.
    """

    labels: tuple[str, ...]
    metrics: dict[str, dict[str, Metrics]]
    counts: dict[str, np.ndarray]
    readable: dict[str, dict[str, float]]
    drawn: Drawn
    caveats: tuple[str, ...]

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
            "intervals_over": self.drawn,
            "caveats": list(self.caveats),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """The cells of `COLUMNS`, by language and system."""
        return [
            (language, system, *cells(by_language[language]))
            for language in self.counts
            for system, by_language in self.metrics.items()
            if language in by_language
        ]

    def remarks(self) -> list[str]:
        """What the numbers have to be read with."""
        found = [
            f"After stage '{stage}' a linear probe reads the {name} off the embedding with a mean "
            f"recall of {recall:.1%}."
            for stage, by_name in self.readable.items()
            for name, recall in by_name.items()
        ]
        return [*found, *self.caveats]

    def print_to(self, console: Console) -> None:
        """For a person: a row a language and system."""
        table = Table(*COLUMNS)
        for row in self.rows():
            table.add_row(*row)
        console.print(table)
        for remark in self.remarks():
            console.print(remark, markup=False)


def cells(one: Metrics) -> tuple[str, ...]:
    """A measurement as clips, UA with its interval, WA and F1 in per cent."""
    low, high = (100 * bound for bound in one.ua_interval)
    rates = (f"{100 * value:.1f}" for value in (one.wa, one.f1))
    return (str(one.clips), f"{100 * one.ua:.1f}", f"{low:.0f} to {high:.0f}", *rates)


def evaluate(
    probabilities: np.ndarray,
    train: ClipSet | None,
    test: ClipSet,
    readable: Mapping[str, dict[str, float]],
    caveats: Sequence[str] = (),
) -> Evaluation:
    """Hold a model's probabilities [N, L] on the test clips against baselines fitted on `train`."""
    said = probabilities.argmax(axis=1)
    metrics = {MODEL: measured(said, test), **({} if train is None else _baselines(train, test))}
    drawn, _ = clusters(test)
    truth, classes = test.rows.emotions, len(test.labels)
    counts = {name: confusion(truth[k], said[k], classes) for name, k in _groups(test).items()}
    return Evaluation(test.labels, metrics, counts, dict(readable), drawn, tuple(caveats))


def _baselines(train: ClipSet, test: ClipSet) -> dict[str, dict[str, Metrics]]:
    """Metrics of what the model must beat, by name and language."""
    return {
        MAJORITY: measured(majority(train, test), test),
        MLP: measured(frames_and_mlp(train, test), test),
        OWN_MLP: {
            name: _measured(verdict, test, test.languages() == name)
            for name, verdict in own_language_mlp(train, test).items()
        },
    }


def measured(said: np.ndarray, clips: ClipSet) -> dict[str, Metrics]:
    """Metrics of verdicts [N], in all and by language."""
    return {name: _measured(said[k], clips, k) for name, k in _groups(clips).items()}


def _measured(said: np.ndarray, clips: ClipSet, where: np.ndarray) -> Metrics:
    """Metrics of the verdicts on the clips of a mask [N]."""
    _, drawn = clusters(clips)
    return measure(clips.rows.emotions[where], said, len(clips.labels), drawn[where])


def clusters(clips: ClipSet) -> tuple[Drawn, np.ndarray]:
    """What errs together, and which of them each clip [N] is of.

    The speakers, where all are known and enough; else the utterances, each with all its renditions.
    """
    speakers = clips.speakers()
    enough = len(set(speakers)) >= FEWEST_SPEAKERS and "" not in speakers
    return ("speakers", speakers) if enough else ("utterances", clips.rows.sources)


def _groups(clips: ClipSet) -> dict[str, np.ndarray]:
    """Masks [N] of all clips and of each language's."""
    languages = clips.languages()
    by_language = {str(name): languages == name for name in sorted(set(languages))}
    return {ALL: np.ones(len(clips), dtype=bool), **by_language}
