"""A trained model, for the tests of all commands."""

import json

import pytest

from tests.model.calling import LEARNING, call
from tests.model.tiny import TINY, write_set


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A trained model, as the command leaves it."""
    folder = tmp_path_factory.mktemp("place")
    write_set(folder / "set")
    data = {"sets": [{"engine": "folder", "path": str(folder / "set")}]}
    stages = [{"name": name, **LEARNING} for name in ("align", "transfer")]
    recipe = {**TINY, "data": data, "stages": stages}
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    result = call("train", folder / "recipe.yaml", "--out", folder / "m", "--work", folder / "w")
    assert result.exit_code == 0, result.output
    return folder
