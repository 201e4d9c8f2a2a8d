"""What a trained model is worth on a split: by language and in all, beside baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from model.data.clip_set import ClipSet
from model.data.load import OTHER_LABEL
from model.evaluation.baselines import (
    Readable,
    frames_and_mlp,
    majority,
    own_language_mlp,
    summed_up,
)
from pipeline.cards.losses import FEWEST_SPEAKERS
from pipeline.metrics import Metrics, confusion, measure
from pipeline.plain import plain

Drawn = Literal["speakers", "utterances"]

ALL = "all"
MODEL, MAJORITY, MLP = "m5ser", "majority", "frames + MLP"
OWN_MLP = "frames + MLP, trained on this language"
COLUMNS = ("language", "system", "clips", "UA %", "95 %", "WA %", "F1 %")
_MOST_REASONS = 10
"""Why rows were left out, by the most frequent: a set may have another label on every row."""


@dataclass(frozen=True)
class Evaluation:
    """Metrics by system and language (`all`: together), and the model's confusion matrices.

    `tested`: what the clips are, in words. `readable`: by stage of the training, how well a linear
    probe reads language and speaker off the embedding after it. `drawn`: by language, of what the
    intervals are a bootstrap. `dropped`: rows that were not measured, by reason. `caveats`: what
    else the numbers have to be read with.
    """

    tested: str
    labels: tuple[str, ...]
    metrics: dict[str, dict[str, Metrics]]
    counts: dict[str, np.ndarray]
    readable: dict[str, dict[str, Readable]]
    drawn: dict[str, Drawn]
    dropped: dict[str, int]
    caveats: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "tested": self.tested,
            "labels": list(self.labels),
            "metrics": {
                system: {language: m.as_dict() for language, m in by_language.items()}
                for system, by_language in self.metrics.items()
            },
            "confusion": {language: counts.tolist() for language, counts in self.counts.items()},
            "readable_off_the_embedding": {
                stage: {name: asdict(one) for name, one in by_name.items()}
                for stage, by_name in self.readable.items()
            },
            "intervals_over": self.drawn,
            "dropped": self.dropped,
            "warnings": self.warnings(),
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

    @property
    def intervals(self) -> str:
        """What the intervals are, in a sentence."""
        own = {one: drawn for one, drawn in self.drawn.items() if drawn != self.drawn[ALL]}
        said = f"UA is the mean recall; the interval is of a bootstrap over {self.drawn[ALL]}"
        if not own:
            return f"{said}."
        named = "each language" if len(own) == len(self.drawn) - 1 else ", ".join(own)
        return f"{said}, and for {named} over {next(iter(own.values()))}."

    def warnings(self) -> list[str]:
        """What makes the numbers mean less than they seem to: to be read before them."""
        return [*self._unmapped(), *self._unheard()]

    def _unmapped(self) -> Iterator[str]:
        others = {
            reason.removeprefix(OTHER_LABEL): count
            for reason, count in self.dropped.items()
            if reason.startswith(OTHER_LABEL)
        }
        if others:
            ranked = sorted(others, key=lambda one: -others[one])
            named = ", ".join(f"{one} {others[one]}x" for one in ranked[:_MOST_REASONS])
            more = ", ..." if len(ranked) > _MOST_REASONS else ""
            total = sum(others.values())
            yield (
                f"{total} rows were left out for their label ({named}{more}), and "
                f"{self.metrics[MODEL][ALL].clips} measured. If a list means the model's emotions "
                f"({', '.join(self.labels)}), say so: --labels THEIRS=OURS, as in anger=angry."
            )

    def _unheard(self) -> Iterator[str]:
        of_class = self.counts[ALL].sum(axis=1)
        absent = [label for label, count in zip(self.labels, of_class, strict=True) if not count]
        if absent:
            yield (
                f"No clip is {', '.join(absent)}: UA and F1 are of the other "
                f"{len(self.labels) - len(absent)} of {len(self.labels)} emotions."
            )

    def remarks(self) -> list[str]:
        """What the numbers have to be read with."""
        found = [
            f"After stage '{stage}' a linear probe reads the {name} off the embedding with a mean "
            f"recall of {one.recall:.1%} (chance {one.chance:.1%})."
            for stage, by_name in self.readable.items()
            for name, one in by_name.items()
        ]
        return [*self._unheard(), *self._left_out(), *found, *self.caveats]

    def _left_out(self) -> Iterator[str]:
        ranked = sorted(self.dropped.items(), key=lambda one: -one[1])
        for reason, count in ranked[:_MOST_REASONS]:
            yield f"Rows that were left out: {count}, {reason}."
        if rest := sum(count for _, count in ranked[_MOST_REASONS:]):
            yield f"Rows that were left out: {rest}, for other reasons."

    def print_to(self, console: Console) -> None:
        """For a person: warnings, and a row a language and system."""
        for warning in self.warnings():
            console.print(plain(warning), style="yellow", markup=False)
        table = Table(*COLUMNS, title=escape(plain(f"On {self.tested}")))
        for row in self.rows():
            table.add_row(*(escape(plain(cell)) for cell in row))
        console.print(table)
        said = self.warnings()
        for remark in (self.intervals, *(one for one in self.remarks() if one not in said)):
            console.print(plain(remark), markup=False)


@dataclass(frozen=True)
class Training:
    """Clips of the sets that a model was trained on; a mask `heard` [N] of those in a stage.

    Of the others, as of languages that are left out, the model knows nothing.
    """

    clips: ClipSet
    heard: np.ndarray


def cells(one: Metrics) -> tuple[str, ...]:
    """A measurement as clips, UA with its interval, WA and F1 in per cent."""
    low, high = (100 * bound for bound in one.ua_interval)
    rates = (f"{100 * value:.1f}" for value in (one.wa, one.f1))
    return (str(one.clips), f"{100 * one.ua:.1f}", f"{low:.0f} to {high:.0f}", *rates)


def evaluate(
    probabilities: np.ndarray,
    train: Training | None,
    test: ClipSet,
    readable: Mapping[str, dict[str, Readable]],
    tested: str,
    caveats: Sequence[str] = (),
) -> Evaluation:
    """Hold a model's probabilities [N, L] on the test clips against baselines fitted on `train`."""
    said = probabilities.argmax(axis=1)
    metrics = {MODEL: measured(said, test), **({} if train is None else _baselines(train, test))}
    groups = _groups(test)
    truth, classes = test.rows.emotions, len(test.labels)
    return Evaluation(
        tested,
        test.labels,
        metrics,
        counts={name: confusion(truth[k], said[k], classes) for name, k in groups.items()},
        readable=dict(readable),
        drawn={name: clusters(test, k)[0] for name, k in groups.items()},
        dropped=test.dropped,
        caveats=tuple(caveats),
    )


def _baselines(train: Training, test: ClipSet) -> dict[str, dict[str, Metrics]]:
    """Metrics of what the model must beat, by name and language.

    They are fitted on what it heard itself; a language's own network, which shows what could be
    had there, on all that the sets have of it.
    """
    learned, asked = summed_up(train.clips), summed_up(test)
    return {
        MAJORITY: measured(majority(train.clips.chosen(train.heard), test), test),
        MLP: measured(frames_and_mlp(learned.chosen(train.heard), asked), test),
        OWN_MLP: {
            name: _measured(verdict, test, test.languages() == name)
            for name, verdict in own_language_mlp(learned, asked).items()
        },
    }


def measured(said: np.ndarray, clips: ClipSet) -> dict[str, Metrics]:
    """Metrics of verdicts [N], in all and by language."""
    return {name: _measured(said[k], clips, k) for name, k in _groups(clips).items()}


def _measured(said: np.ndarray, clips: ClipSet, where: np.ndarray) -> Metrics:
    """Metrics of the verdicts on the clips of a mask [N]."""
    _, drawn = clusters(clips, where)
    return measure(clips.rows.emotions[where], said, len(clips.labels), drawn)


def clusters(clips: ClipSet, where: np.ndarray) -> tuple[Drawn, np.ndarray]:
    """What errs together, and which of them each clip of a mask [N] is of.

    The speakers, where those of these clips are known and enough: a language of two has no spread
    to draw from, however many the others have. Else the utterances, each with all its renditions.
    """
    speakers = clips.speakers()[where]
    enough = len(set(speakers)) >= FEWEST_SPEAKERS and "" not in speakers
    return ("speakers", speakers) if enough else ("utterances", clips.rows.sources[where])


def _groups(clips: ClipSet) -> dict[str, np.ndarray]:
    """Masks [N] of all clips and of each language's."""
    languages = clips.languages()
    by_language = {str(name): languages == name for name in sorted(set(languages))}
    return {ALL: np.ones(len(clips), dtype=bool), **by_language}
