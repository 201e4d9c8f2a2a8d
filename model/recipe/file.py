"""Training recipes on disk: read as cautiously as the dataset's."""

from __future__ import annotations

from collections.abc import Iterable

from model.recipe.training import TrainingRecipe
from pipeline.settings_file import parse_settings, read_settings


def load_training_recipe(name: str, overrides: Iterable[str] = ()) -> TrainingRecipe:
    """The training recipe of a path, or of a name among those that come with m5ser.

    Raises:
        BadRecipe: with every error at once.
    """
    return parse_training_recipe(read_settings(name, "recipes.training"), overrides)


def parse_training_recipe(text: str, overrides: Iterable[str] = ()) -> TrainingRecipe:
    """The training recipe of a YAML text; see `parse_settings`.

    Raises:
        BadRecipe: with every error at once.
    """
    return parse_settings(TrainingRecipe, text, overrides)
