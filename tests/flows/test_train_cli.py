"""What the trainer's commands print, and what they refuse before they begin."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from flows import evaluate
from flows.cli import app
from flows.train import TrainOutcome
from model.recipe.training import TrainingRecipe
from pipeline.errors import InputError
from pipeline.recipe import Recipe


@pytest.mark.parametrize("language", ["", "p"])
def test_a_language_that_is_no_code_is_refused_by_its_option(tmp_path, language):
    (tmp_path / "list.csv").write_text("path,text,emotion\n")
    with pytest.raises(InputError, match=f"--language '{language}' is unknown: .* as in pl"):
        evaluate.Tested(tmp_path / "list.csv", language).check(())


def test_a_model_s_folder_is_printed_as_it_is():
    console = Console(width=200, record=True, file=io.StringIO())
    TrainOutcome(Path("models/mine[de]"), 12, {}, 0.5, 1.0).print_to(console)
    text = console.export_text()
    assert text.startswith("models/mine[de]: 12 clips")
    assert "m5ser evaluate models/mine[de]" in text


@pytest.mark.parametrize(("options", "kind"), [((), Recipe), (("--training",), TrainingRecipe)])
def test_both_kinds_of_recipes_have_a_schema(options, kind):
    done = CliRunner().invoke(app, ["schema", *options])
    assert json.loads(done.stdout) == kind.model_json_schema()
