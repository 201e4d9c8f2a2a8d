"""The trainer's commands as a person calls them."""

import json

from typer.testing import CliRunner

from flows.cli import app
from tests.model.tiny import write_set

LEARNING = {"steps": 40, "batch_size": 12, "learning_rate": 1e-2, "losses": {"auxiliary": 0.5}}


def call(*arguments):
    """Run a command, with its result as JSON in the last line of the output."""
    return CliRunner().invoke(app, [*map(str, arguments), "--json"])


def fresh_place(place, tmp_path, change=lambda row: row, **data):
    """A recipe of a set of its own, untrained."""
    write_set(tmp_path / "set", change)
    recipe = json.loads((place / "recipe.yaml").read_text())
    recipe["data"] = {"sets": [{"engine": "folder", "path": str(tmp_path / "set")}], **data}
    recipe["stages"] = [{**recipe["stages"][0], "steps": 2}]
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    return ("train", tmp_path / "recipe.yaml", "--out", tmp_path / "m", "--work", tmp_path / "w")
