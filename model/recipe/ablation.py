"""The arms of an ablation: one training recipe, less or more of what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.recipe.sets import FolderSet
from model.recipe.training import LOSSES, Stage, TrainingRecipe
from pipeline.errors import InputError

_ENGLISH = ("en",)
_STAYING = tuple(name for name in LOSSES if name not in ("supervised_contrast", "adversary"))


@dataclass(frozen=True)
class Arm:
    """One training of an ablation."""

    name: str
    about: str
    recipe: TrainingRecipe


def arms(recipe: TrainingRecipe) -> list[Arm]:
    """From English alone to the whole recipe, each arm with one thing more, then unfiltered data.

    What an arm leaves out is left out of all stages. All arms take the same steps from the same
    seed, so that none wins by having trained longer.

    Raises:
        InputError: the recipe has nothing to leave out: its last stage contrasts no languages; or
            a stage teaches nothing else.
    """
    last = recipe.stages[-1].losses
    if not last.supervised_contrast or not last.adversary:
        raise InputError(
            f"stages.{recipe.stages[-1].name}.losses: an ablation leaves out supervised_contrast "
            "and adversary, so both need a weight above 0"
        )
    for stage in recipe.stages:
        if not any(getattr(stage.losses, name) for name in _STAYING):
            raise InputError(
                f"stages.{stage.name}.losses: an ablation leaves out supervised_contrast and "
                f"adversary, and then nothing is left: give {', '.join(_STAYING[:-1])} or "
                f"{_STAYING[-1]} a weight above 0"
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
    """The recipe with other losses, or other settings, in every stage."""
    stages = []
    for stage in recipe.stages:
        held = {**stage.losses.model_dump(), **losses}
        stages.append(Stage.model_validate({**stage.model_dump(), "losses": held, **stage_changes}))
    return recipe.model_copy(update={"stages": tuple(stages)})


def _unfiltered(recipe: TrainingRecipe) -> TrainingRecipe:
    sets = tuple(
        one.model_copy(update={"rejects": "all"}) if isinstance(one, FolderSet) else one
        for one in recipe.data.sets
    )
    if sets == recipe.data.sets:
        raise InputError("data.sets: only a folder of `m5ser build` knows what was rejected")
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"sets": sets})})
