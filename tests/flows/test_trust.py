"""A recipe runs a command only by the person's leave."""

from __future__ import annotations

import pytest

from flows.trust import trusted
from pipeline.errors import InputError
from pipeline.recipe import Recipe

RECIPE = {"name": "tiny", "corpus": {"engine": "quickstart"}, "languages": ["de"]}


def test_a_command_is_refused_and_shown() -> None:
    recipe = Recipe.model_validate(
        {**RECIPE, "synthesis": {"engine": "command", "command": ["speak", "a b"]}}
    )
    with pytest.raises(InputError, match=r"run `speak 'a b'`.*--allow-commands"):
        trusted(recipe, allow_commands=False)
    recipe = trusted(recipe, allow_commands=True)
    recipe.pinned().synthesis.refuse_unless_allowed()


def test_other_engines_need_no_leave() -> None:
    recipe = Recipe.model_validate(RECIPE)
    assert trusted(recipe, allow_commands=False) is recipe
