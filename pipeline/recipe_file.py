"""Recipes on disk."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.recipe import Recipe
from pipeline.settings_file import parse_settings, read_settings


def load_recipe(name: str, overrides: Iterable[str] = ()) -> Recipe:
    """The recipe of a path, or of a name among those that come with m5ser.

    Raises:
        BadRecipe: with every error at once.
    """
    return parse_recipe(read_settings(name, "recipes"), overrides)


def parse_recipe(text: str, overrides: Iterable[str] = ()) -> Recipe:
    """The recipe of a YAML text; see `parse_settings`.

    Raises:
        BadRecipe: with every error at once.
    """
    return parse_settings(Recipe, text, overrides)
