"""The engines that a recipe chooses from: the members of its unions."""

from __future__ import annotations

from typing import Any, get_args

from pipeline.engine import Engine


def engines_of(union: Any) -> list[type[Engine]]:
    """The classes of a union of engines, also of the unions within it."""
    if parts := get_args(union):
        return [engine for part in parts for engine in engines_of(part)]
    return [union] if isinstance(union, type) and issubclass(union, Engine) else []


def names_of(union: Any) -> list[str]:
    """The names that these engines have in a recipe."""
    return [engine.model_fields["engine"].default for engine in engines_of(union)]
