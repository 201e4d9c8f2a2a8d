"""`m5ser ablate`: the arms of an ablation, trained and measured on the same test clips."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.train import run_train, speaks
from model.data.load import load_clips
from model.evaluation.evaluate import measured
from model.evaluation.inference import verdicts
from model.evaluation.report import markdown_table
from model.export import load_trained
from model.recipe.ablation import Arm, arms
from model.recipe.training import TrainingRecipe
from model.training.loop import trained_clips
from pipeline.metrics import Metrics

_CHOSEN = (
    "The best step of every arm was chosen by the validation clips of all languages, also that of "
    "English only, whom the figures of the other languages therefore flatter."
)


@dataclass(frozen=True)
class Ablation:
    """By arm, metrics by language and the clips of the last stage of training."""

    arms: tuple[Arm, ...]
    metrics: tuple[dict[str, Metrics], ...]
    clips: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            arm.name: {
                "about": arm.about,
                "training_clips": clips,
                "metrics": {language: one.as_dict() for language, one in metrics.items()},
            }
            for arm, metrics, clips in zip(self.arms, self.metrics, self.clips, strict=True)
        }

    @property
    def header(self) -> tuple[str, ...]:
        """Of the table: UA in per cent with its interval, by language."""
        return ("arm", "clips", *self.metrics[0])

    def rows(self) -> list[tuple[str, ...]]:
        """A row an arm."""
        return [
            (arm.about, str(clips), *(_ua(one) for one in metrics.values()))
            for arm, metrics, clips in zip(self.arms, self.metrics, self.clips, strict=True)
        ]

    def print_to(self, console: Console) -> None:
        """For a person."""
        table = Table(*map(escape, self.header), title="UA % (95 %) on the test clips")
        for row in self.rows():
            table.add_row(*map(escape, row))
        console.print(table)
        console.print(_CHOSEN)


def run_ablate(recipe: TrainingRecipe, folder: Path, cache: Path, console: Console) -> Ablation:
    """Train every arm in a folder of its own; what is trained already is only measured.

    Writes `ablation.json` and `ablation.md`. Run by several processes (`torchrun`), all measure and
    the first one writes.

    Raises:
        InputError: the data are not what the recipe says, or it has nothing to leave out.
        Diverged: a loss is not a number.
    """
    found = []
    for arm in (planned := arms(recipe)):
        if speaks():
            console.print(f"{arm.about}:", markup=False)
        run_train(arm.recipe, folder / arm.name, cache, console)
        found.append(_measure(folder / arm.name, cache))
    metrics, clips = zip(*found, strict=True)
    ablation = Ablation(tuple(planned), metrics, clips)
    if speaks():
        _write(ablation, folder)
    return ablation


def _write(ablation: Ablation, folder: Path) -> None:
    text = json.dumps(ablation.as_dict(), indent=1) + "\n"
    (folder / "ablation.json").write_text(text, encoding="utf-8")
    table = f"{markdown_table(ablation.header, ablation.rows())}\n\n{_CHOSEN}\n"
    (folder / "ablation.md").write_text(table, encoding="utf-8")


def _measure(folder: Path, cache: Path) -> tuple[dict[str, Metrics], int]:
    """Metrics by language, and how many clips the last stage learned from."""
    trained = load_trained(folder)
    recipe = trained.recipe
    train, test = (
        load_clips(recipe.data, split, recipe.labels, trained.encoder, cache)
        for split in ("train", "test")
    )
    clips = trained_clips(train, recipe.stages[-1:])
    probabilities, _ = verdicts(trained.model, test, recipe.labels)
    return measured(probabilities.argmax(axis=1), test), clips


def _ua(one: Metrics) -> str:
    low, high = (100 * bound for bound in one.ua_interval)
    return f"{100 * one.ua:.1f} ({low:.0f} to {high:.0f})"
