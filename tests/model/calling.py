"""The trainer's commands as a person calls them."""

import json

import typer
from typer.testing import CliRunner

from flows.train_cli import register
from pipeline.errors import InputError
from tests.model.tiny import write_set

LEARNING = {"steps": 40, "batch_size": 12, "learning_rate": 1e-2, "losses": {"auxiliary": 0.5}}


def guarded(action):
    try:
        return action()
    except InputError as bad:
        typer.echo(str(bad))
        raise typer.Exit(2) from bad


def emit(value, as_json, show):
    typer.echo(json.dumps(value))


def call(*arguments):
    app = typer.Typer()
    register(app, guarded, emit)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fresh_place(place, tmp_path, change=lambda row: row, **data):
    """A recipe of a set of its own, untrained."""
    write_set(tmp_path / "set", change)
    recipe = json.loads((place / "recipe.yaml").read_text())
    recipe["data"] = {"sets": [{"engine": "folder", "path": str(tmp_path / "set")}], **data}
    recipe["stages"] = [{**recipe["stages"][0], "steps": 2}]
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    return ("train", tmp_path / "recipe.yaml", "--out", tmp_path / "m", "--work", tmp_path / "w")
