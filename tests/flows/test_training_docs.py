"""docs/training.md: what it shows is read by the real parsers."""

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from flows.cli import app
from model.recipe.file import parse_training_recipe
from model.recipe.training import TrainingRecipe

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
WHOLE, *PARTS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
COMMANDS = [
    line.partition("#")[0].strip()
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S)
    for line in block.splitlines()
]
INLINE = re.findall(r"`(?:m5ser|torchrun [^`]* flows\.cli) ([a-z]+[^`]*)`", PAGE)


def test_the_recipe_in_ten_lines_is_one():
    assert len(WHOLE.splitlines()) == 10
    assert parse_training_recipe(WHOLE).name == "mine"


@pytest.mark.parametrize("part", PARTS)
def test_a_section_of_a_recipe_is_one(part):
    whole = {**yaml.safe_load(WHOLE), **yaml.safe_load(part)}
    recipe = parse_training_recipe(yaml.safe_dump(whole))
    assert [one.engine for one in recipe.data.sets] == ["folder", "corpus", "datasets"]


@pytest.mark.parametrize("given", [line.removeprefix("m5ser ") for line in COMMANDS] + INLINE)
def test_a_command_is_one(given):
    name, *arguments = shlex.split(given)
    commands = typer.main.get_command(app).commands
    assert name in commands
    if arguments:  # it reads them as the command line does, and raises what that would say
        assert any(commands[name].make_context(name, arguments).params.values())


def test_the_sections_are_those_of_a_recipe():
    cells = re.findall(r"^\| (`.*?) \|", PAGE, re.M)
    told = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert told | {"name", "seed"} == set(TrainingRecipe.model_fields)
