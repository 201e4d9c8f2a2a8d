"""What a recipe may do on this machine only if the person says so."""

from __future__ import annotations

from pipeline.recipe import Recipe
from pipeline.synthesis.command import Command


def trusted(recipe: Recipe, allow_commands: bool) -> Recipe:
    """The recipe with leave to run its command, if it has one.

    Raises:
        InputError: it has one, and the person has not allowed it.
    """
    command = recipe.synthesis
    if not isinstance(command, Command):
        return recipe
    if allow_commands:
        command = command.allowed()
    command.refuse_unless_allowed()
    return recipe.model_copy(update={"synthesis": command})
