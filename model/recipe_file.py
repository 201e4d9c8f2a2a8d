"""Training recipes on disk: read as cautiously as the dataset's, and all that is wrong at once."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from model.recipe import TrainingRecipe
from pipeline.recipe_file import BadRecipe, _explain, _override, _parse_yaml, _read


def load_training_recipe(name: str, overrides: Iterable[str] = ()) -> TrainingRecipe:
    """The training recipe of a path, or of a name among those that come with m5ser.

    Raises:
        BadRecipe: with every error at once.
    """
    bundled = files("recipes.training").joinpath(f"{name}.yaml")
    if not Path(name).is_file() and bundled.is_file():
        return parse_training_recipe(bundled.read_text(encoding="utf-8"), overrides)
    return parse_training_recipe(_read(name), overrides)


def parse_training_recipe(text: str, overrides: Iterable[str] = ()) -> TrainingRecipe:
    """The training recipe of a YAML text.

    Raises:
        BadRecipe: with every error at once.
    """
    fields = _parse_yaml(text)
    if not isinstance(fields, dict):
        raise BadRecipe(["the recipe is not a mapping of fields to values"])
    for override in overrides:
        _override(fields, override)
    try:
        return TrainingRecipe.model_validate(fields)
    except ValidationError as error:
        raise BadRecipe([_explain(detail) for detail in error.errors()]) from error
