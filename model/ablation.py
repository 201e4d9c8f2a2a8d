"""The arms of an ablation: one training recipe, less or more of what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.recipe import FolderSet, Losses, Stage, TrainingRecipe
from pipeline.errors import InputError

_ENGLISH = ("en",)


@dataclass(frozen=True)
class Arm:
    """One training of an ablation."""

    name: str
    about: str
    recipe: TrainingRecipe


def arms(recipe: TrainingRecipe) -> list[Arm]:
    """From English alone to the whole recipe, each arm with one thing more, then unfiltered data.

    All arms take the same steps from the same seed, so that none wins by having trained longer.

    Raises:
        InputError: the recipe has nothing to leave out: its last stage contrasts no languages.
    """
    last = recipe.stages[-1].losses
    if not last.supervised_contrast or not last.adversary:
        raise InputError(
            f"stages.{recipe.stages[-1].name}.losses: an ablation leaves out supervised_contrast "
            "and adversary, so both need a weight above 0"
        )
    plain = {"supervised_contrast": 0.0, "adversary": 0.0}
    contrast = {"adversary": 0.0}
    return [
        Arm("english", "English only", _changed(recipe, plain, languages=_ENGLISH)),
        Arm("languages", "+ synthetic languages", _changed(recipe, plain)),
        Arm("contrast", "+ contrast", _changed(recipe, contrast)),
        Arm("adversary", "+ speaker adversary", recipe),
        Arm("unfiltered", "the same with what the gates rejected", _unfiltered(recipe)),
    ]


def _changed(
    recipe: TrainingRecipe, losses: Mapping[str, float], **stage_changes: Any
) -> TrainingRecipe:
    """The recipe with other losses, or other settings, in its last stage."""
    *earlier, last = recipe.stages
    held = Losses.model_validate({**last.losses.model_dump(), **losses})
    stage = Stage.model_validate(
        {**last.model_dump(), "losses": held.model_dump(), **stage_changes}
    )
    return recipe.model_copy(update={"stages": (*earlier, stage)})


def _unfiltered(recipe: TrainingRecipe) -> TrainingRecipe:
    sets = tuple(
        one.model_copy(update={"rejects": "all"}) if isinstance(one, FolderSet) else one
        for one in recipe.data.sets
    )
    if sets == recipe.data.sets:
        raise InputError("data.sets: only a folder of `m5ser build` knows what was rejected")
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"sets": sets})})
