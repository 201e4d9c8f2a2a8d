"""The training loop: one stage after the other, from any checkpoint on.

A step's gradient is that of one large batch: the word loss is divided by the valid tokens of all
ranks and accumulated batches, the other losses by the number of those batches. All ranks read and
validate; the first one writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from transformers import get_cosine_schedule_with_warmup

from model.data.clip_set import Batch, ClipSet
from model.data.sampling import BatchSampler
from model.evaluation.inference import verdicts
from model.network.ser import EmotionModel, trained_parameters, trained_tensors
from model.recipe.training import Stage, TrainingRecipe
from model.training import checkpoint, ranks
from model.training.ahead import ahead
from model.training.checkpoint import Position
from model.training.journal import Journal
from model.training.objective import Objective
from pipeline.errors import InputError
from pipeline.metrics import confusion, rates


class Diverged(ArithmeticError):
    """A loss or gradient that is not a number; the last checkpoint is from before it."""


@dataclass(frozen=True)
class Trainer:
    """A recipe, its clips, and the folder that the training lives in."""

    recipe: TrainingRecipe
    train: ClipSet
    validation: ClipSet
    folder: Path
    advance: Callable[[str, int, dict[str, float]], None]
    """Told of every step: the stage's name, its steps done, the losses."""

    def run(self, model: EmotionModel) -> EmotionModel:
        """Train through all stages, going on from the newest checkpoint; the best model.

        Best is the highest validation UAR of the last stage.

        Raises:
            InputError: a stage has no rows, or a checkpoint is damaged or of another architecture.
            Diverged: a loss is not a number.
            OSError: a checkpoint can't be written.
        """
        running = self.recipe.running
        accelerator = ranks.accelerator(running.precision)
        torch.manual_seed(self.recipe.seed)
        objective = Objective(
            model,
            self.recipe.labels,
            len(self.train.speaker_names),
            self.recipe.shared_width,
        )
        if running.shard and accelerator.num_processes > 1:
            ranks.shard(objective, model.language_model.llama, accelerator.device)
        objective.to(accelerator.device)
        if running.gradient_checkpointing:
            model.language_model.llama.activation_checkpointing_enable()
        if any(stage.losses.contrast for stage in self.recipe.stages):
            objective.hold_texts()
        model.qformer.input.fit(*self.train.channel_statistics())
        place = checkpoint.newest(self.folder)
        position = checkpoint.read_position(place) if place else Position()
        self.folder.mkdir(parents=True, exist_ok=True)
        accelerator.wait_for_everyone()  # nothing is written before all have read
        with ExitStack() as stack:
            journal = None
            if accelerator.is_main_process:
                journal = stack.enter_context(Journal(self.folder, position))
            for number in range(position.stage, len(self.recipe.stages)):
                at = position if number == position.stage else Position(stage=number)
                loop = _StageLoop(self, accelerator, objective, journal, at)
                loop.run(place if number == position.stage else None)
        accelerator.wait_for_everyone()
        checkpoint.load_best(self.folder, self.recipe.stages[-1].name, model)
        return model


class _StageLoop:
    """One stage: its rows, optimizer and schedule, and the steps to its end."""

    def __init__(
        self,
        trainer: Trainer,
        accelerator: Accelerator,
        objective: Objective,
        journal: Journal | None,
        position: Position,
    ) -> None:
        self.trainer, self.accelerator, self.objective = trainer, accelerator, objective
        self.journal, self.position = journal, position
        self.stage: Stage = trainer.recipe.stages[position.stage]
        stage = self.stage
        self.clips = stage_clips(trainer.train, stage)
        optimizer = torch.optim.AdamW(
            trained_parameters(objective).values(),
            lr=stage.learning_rate,
            weight_decay=stage.weight_decay,
        )
        self.wrapped, self.optimizer = accelerator.prepare(objective, optimizer)
        self.schedule = get_cosine_schedule_with_warmup(optimizer, stage.warmup_steps, stage.steps)

    def run(self, place: Path | None) -> None:
        """Every step that is still to do, from a checkpoint's state if there is one."""
        if place is not None:
            checkpoint.restore(place, self.objective, self._rest())
        running, stage = self.trainer.recipe.running, self.stage
        with closing(ahead(self._steps())) as steps:
            while self.position.step < stage.steps:
                found = self._step(next(steps))
                self._count_step()
                self.trainer.advance(stage.name, self.position.step, found)
                last = self.position.step == stage.steps
                if last or self.position.step % running.validate_every == 0:
                    found["validation_ua"] = self._validate()
                if self.journal is not None:
                    self.journal.write(stage.name, self.position, found)
                if last or self.position.step % running.save_every == 0:
                    self._save()

    def _count_step(self) -> None:
        read = self.stage.accumulate * self.accelerator.num_processes
        step, batches = self.position.step + 1, self.position.batches + read
        self.position = replace(self.position, step=step, batches=batches)

    def _steps(self) -> Iterator[list[Batch]]:
        """The batches of each step, those of this rank, from the position on."""
        stage, world = self.stage, self.accelerator.num_processes
        seed = self.trainer.recipe.seed + self.position.stage
        sampler = BatchSampler(self.clips.rows, stage.batch_size, stage.paired, seed)
        batches = sampler.batches(self.position.batches)
        mine = islice(batches, self.accelerator.process_index, None, world)
        device = self.accelerator.device
        while True:
            own = [self.clips.batch(one) for one in islice(mine, stage.accumulate)]
            yield [one.pinned(device) for one in own] if device.type == "cuda" else own

    def _step(self, batches: list[Batch]) -> dict[str, float]:
        stage, accelerator = self.stage, self.accelerator
        self._seed()
        self.wrapped.train()
        own = sum(self.objective.word_tokens(batch.emotions) for batch in batches)
        tokens = accelerator.reduce(torch.tensor(float(own), device=accelerator.device), "sum")
        # Data-parallel gradients are averaged over the ranks; a backward pass here counts for one
        # of the accumulated batches, but the word loss is divided by the tokens of all of them.
        share = float(tokens) / accelerator.num_processes / stage.accumulate
        prompts = self.trainer.recipe.prompts
        prompt = prompts[self.position.step % len(prompts)]
        progress = self.position.step / stage.steps
        sums: dict[str, float] = {}
        for number, batch in enumerate(batches):
            here = batch.to(accelerator.device)
            with _synchronised(accelerator, self.wrapped, number == len(batches) - 1):
                with accelerator.autocast():
                    losses = self.wrapped(here, stage.losses, prompt, progress, share)
                self._refuse_divergence(losses)
                accelerator.backward(losses["total"] / stage.accumulate)
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + float(loss.detach()) / stage.accumulate
        norm = accelerator.clip_grad_norm_(self.wrapped.parameters(), stage.clip_norm)
        self._refuse_divergence({"gradient": torch.as_tensor(norm)})
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {**sums, "learning_rate": self.schedule.get_last_lr()[0]}

    def _seed(self) -> None:
        """Draw a step's chances from where it stands, so that none has to be kept for a resume."""
        place = (self.position.stage, self.position.step, self.accelerator.process_index)
        sequence = np.random.SeedSequence([self.trainer.recipe.seed, *place])
        torch.manual_seed(int(sequence.generate_state(1)[0]))

    def _refuse_divergence(self, values: dict[str, Tensor]) -> None:
        bad = [name for name, value in values.items() if not torch.isfinite(value).all()]
        if bad:
            raise Diverged(
                f"stage '{self.stage.name}', step {self.position.step + 1}: {', '.join(bad)} is "
                "not a number, and would be again: lower "
                f"stages.{self.stage.name}.learning_rate or clip_norm, and give another --out, "
                "since another recipe begins anew"
            )

    def _validate(self) -> float:
        """UAR on the validation clips; weights that beat the stage's best become the best."""
        clips = self.trainer.validation
        probabilities, _ = verdicts(self.objective.model, clips, self.trainer.recipe.labels)
        said = probabilities.argmax(axis=1)
        counts = confusion(clips.rows.emotions, said, len(self.trainer.recipe.labels))
        ua = rates(counts)[1]
        if ua > self.position.best_ua:
            self.position = replace(self.position, best_ua=ua)
            if self.accelerator.is_main_process:
                path = checkpoint.best_path(self.trainer.folder, self.stage.name)
                checkpoint.save_weights(path, trained_tensors(self.objective.model))
        return ua

    def _save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        keep = self.trainer.recipe.running.keep
        checkpoint.save(self.trainer.folder, self.position, self.objective, self._rest(), keep)

    def _rest(self) -> dict[str, checkpoint.Stateful]:
        return {"optimizer": self.optimizer, "schedule": self.schedule}


def stage_clips(clips: ClipSet, stage: Stage) -> ClipSet:
    """The clips that a stage trains on.

    Raises:
        InputError: there are none, or none of a language that the stage names.
    """
    return clips.chosen(_of_stage(clips, stage))


def trained_clips(clips: ClipSet, stages: Sequence[Stage]) -> int:
    """How many clips any of the stages trains on; one at several speeds counts once.

    Raises:
        InputError: see `stage_clips`.
    """
    # Too short a clip is unusable at the highest speeds alone.
    return int(np.bincount(clips.speed[heard_in(clips, stages)]).max())


def heard_in(clips: ClipSet, stages: Sequence[Stage]) -> np.ndarray:
    """A mask [N] of the clips that any of the stages trains on.

    Raises:
        InputError: see `stage_clips`.
    """
    heard: np.ndarray = np.any([_of_stage(clips, stage) for stage in stages], axis=0)
    return heard


def _of_stage(clips: ClipSet, stage: Stage) -> np.ndarray:
    """A mask [N] of the clips that a stage trains on."""
    kept = np.ones(len(clips), dtype=bool)
    missing = set(stage.languages or ()) - set(clips.languages())
    if missing:
        raise InputError(
            f"stages.{stage.name}.languages: no clip is in {', '.join(sorted(missing))}; the sets "
            f"have {', '.join(clips.language_names)}"
        )
    if stage.languages is not None:
        kept &= np.isin(clips.languages().astype(str), stage.languages)
    if stage.only != "all":
        kept &= clips.synthetic == (stage.only == "synthetic")
    if not kept.any():
        raise InputError(
            f"stages.{stage.name}: no clip is left of languages {stage.languages or 'all'}, "
            f"only '{stage.only}'; the sets have {', '.join(clips.language_names)}"
        )
    return kept


def _synchronised(accelerator: Accelerator, module: nn.Module, last: bool) -> Any:
    return nullcontext() if last else accelerator.no_sync(module)
