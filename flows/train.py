"""`m5ser train`: a training recipe becomes a model's folder; a stopped one goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn

from model.data.clip_set import ClipSet
from model.data.load import load_clips
from model.data.sources import refuse_empty
from model.export import TRAINED_RECIPE, export
from model.network.encoder import load_encoder
from model.network.language_model import need_language_model
from model.network.ser import make_model
from model.recipe.training import TrainingRecipe
from model.training.checkpoint import newest, read_position
from model.training.loop import Trainer, heard_in, trained_clips
from model.training.ranks import together
from pipeline.dataset.layout import RECIPE
from pipeline.errors import InputError

TRAINED_CLIPS = "trained_clips.json"
_LOG_EVERY = 50
"""Steps between two lines where there is no terminal."""


@dataclass(frozen=True)
class TrainOutcome:
    """What a training came to."""

    folder: Path
    clips: int
    dropped: dict[str, int]
    best_ua: float
    wall_s: float
    warnings: tuple[str, ...] = ()
    """What was said before the first step."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**vars(self), "folder": str(self.folder)}

    def print_to(self, console: Console) -> None:
        """For a person."""
        for reason, count in self.dropped.items():
            console.print(f"dropped {count}x: {reason}", markup=False)
        console.print(
            f"{self.folder}: {self.clips} clips, best validation UAR {self.best_ua:.1%}, "
            f"in {self.wall_s:.0f} s; next: m5ser evaluate {self.folder}",
            markup=False,
        )


def run_train(recipe: TrainingRecipe, folder: Path, cache: Path, console: Console) -> TrainOutcome:
    """Train a recipe's model in `folder`, from its newest checkpoint if there is one.

    Run by several processes (`torchrun`), the first one writes and speaks.

    Raises:
        InputError: the data are not what the recipe says, or the folder is another recipe's.
        Diverged: a loss is not a number.
    """
    started = time.monotonic()
    own = together()
    console.quiet = not own.is_main_process
    with own.main_process_first():
        _claim(folder, recipe)
        need_language_model(recipe.language_model)
    for split in ("train", "validation"):
        refuse_empty(recipe.data.sets, split)
    encoder = load_encoder(recipe.encoder)
    train = load_clips(recipe.data, "train", recipe.labels, encoder, cache)
    names = train.speaker_names
    validation = load_clips(recipe.data, "validation", recipe.labels, encoder, cache, names)
    _check_apart(train, validation)
    if recipe.data.cache == "frames":
        encoder.whisper.to("cpu")  # its work is done: the memory of the device is the LLaMA's
    clips = trained_clips(train, recipe.stages)
    warnings = tuple(_warnings(recipe, train, validation))
    for warning in warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    with own.main_process_first():
        _claim_clips(folder, train, validation)
    with _StepProgress(recipe, console) as progress:
        trainer = Trainer(recipe, train, validation, folder, progress.advance)
        model = trainer.run(make_model(recipe, encoder.width))
    if own.is_main_process:
        export(folder, recipe, model, clips)
    own.wait_for_everyone()  # whoever goes on finds a finished model
    place = newest(folder)
    best = read_position(place).best_ua if place else 0.0
    return TrainOutcome(folder, clips, train.dropped, best, time.monotonic() - started, warnings)


def speaks() -> bool:
    """Whether this is the process that prints, of those that train together."""
    return bool(together().is_main_process)


def _claim(folder: Path, recipe: TrainingRecipe) -> None:
    """Refuse to go on with another recipe's checkpoints, or to write over what is no training.

    A training that hasn't come to a checkpoint yet has nothing that another recipe could spoil.
    """
    text = yaml.safe_dump(recipe.model_dump(mode="json", exclude={"running"}), sort_keys=False)
    owner = folder / TRAINED_RECIPE
    finished = (folder / RECIPE).is_file()
    if finished and not owner.is_file():
        raise InputError(
            f"'{folder}' holds a dataset or a model that wasn't trained here; give another --out"
        )
    begun = finished or newest(folder) is not None
    if begun and owner.is_file() and owner.read_text(encoding="utf-8") != text:
        raise InputError(
            f"'{folder}' holds the training of another recipe; give another --out, or remove it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    owner.write_text(text, encoding="utf-8")


def _check_apart(train: ClipSet, validation: ClipSet) -> None:
    """Refuse to choose a checkpoint by what it was trained on."""
    if shared := train.shared_utterances(validation):
        raise InputError(
            f"data.sets: {len(shared)} utterances are in training and in validation, '{shared[0]}' "
            "for one; give a corpus `like: FOLDER`, the set that was built of it, or leave one out"
        )


def _warnings(recipe: TrainingRecipe, train: ClipSet, validation: ClipSet) -> Iterator[str]:
    """What a person should know before a training is paid for, in sentences."""
    heard = train.chosen(heard_in(train, recipe.stages))
    if untaught := _absent(heard):
        yield (
            f"no clip of the training is {untaught}, so nothing teaches what that is: write "
            "`labels` as the sets have them, or leave it out"
        )
    if unasked := _absent(validation):
        yield f"no clip of validation is {unasked}: the best step is chosen without"
    for stage in recipe.stages:
        if stage.warmup_steps >= stage.steps:
            yield (
                f"stages.{stage.name}: the learning rate still rises when its {stage.steps} steps "
                f"end: give fewer warmup_steps than {stage.warmup_steps}"
            )
    for reason, count in validation.dropped.items():
        yield f"of validation {count} rows were left out: {reason}"


def _absent(clips: ClipSet) -> str:
    """The labels that no clip has, by commas."""
    there = np.bincount(clips.rows.emotions, minlength=len(clips.labels))
    return ", ".join(name for name, count in zip(clips.labels, there, strict=True) if not count)


def _claim_clips(folder: Path, train: ClipSet, validation: ClipSet) -> None:
    """Refuse to go on with checkpoints that saw other clips, where a set was built anew since."""
    now = json.dumps({"train": train.fingerprint(), "validation": validation.fingerprint()})
    known = folder / TRAINED_CLIPS
    begun = (folder / RECIPE).is_file() or newest(folder) is not None
    if begun and known.is_file() and known.read_text(encoding="utf-8") != now:
        raise InputError(
            f"'{folder}' was trained on other clips: a set has changed since; give another --out, "
            "or remove it"
        )
    known.write_text(now, encoding="utf-8")


class _StepProgress:
    """A bar for each stage; where there is no terminal, a line now and then."""

    def __init__(self, recipe: TrainingRecipe, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:>6.0f}/{task.total:.0f} steps"),
            TextColumn("loss {task.fields[loss]:>7}"),
            TimeElapsedColumn(),
            TimeLeftColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._stages = {
            stage.name: self._bars.add_task(stage.name, total=stage.steps, loss="")
            for stage in recipe.stages
        }

    def __enter__(self) -> _StepProgress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def advance(self, stage: str, step: int, losses: dict[str, float]) -> None:
        """Count a step."""
        loss = f"{losses['total']:.3f}"
        self._bars.update(self._stages[stage], completed=step, loss=loss)
        if not self._console.is_terminal and step % _LOG_EVERY == 0:
            self._console.print(f"{stage} {step}: loss {loss}", markup=False)
