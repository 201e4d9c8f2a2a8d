"""What the trainer's commands print, and what they refuse before they begin."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from flows import evaluate
from flows.train import TrainOutcome
from model.recipe import DataSettings, FolderSet
from pipeline.errors import InputError


@pytest.mark.parametrize("language", ["", "p"])
def test_a_language_that_is_no_code_is_refused_by_its_option(tmp_path, language):
    (tmp_path / "list.csv").write_text("path,text,emotion\n")
    own = DataSettings(sets=(FolderSet(path="set"),))
    with pytest.raises(InputError, match=f"--language '{language}': .* as in pl"):
        evaluate.Tested(tmp_path / "list.csv", language).settings(own)


def test_a_model_s_folder_is_printed_as_it_is():
    console = Console(width=200, record=True, file=io.StringIO())
    TrainOutcome(Path("models/mine[de]"), 12, {}, 0.5, 1.0).print_to(console)
    text = console.export_text()
    assert text.startswith("models/mine[de]: 12 clips")
    assert "m5ser evaluate models/mine[de]" in text
