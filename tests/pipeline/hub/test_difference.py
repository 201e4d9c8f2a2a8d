"""Two revisions compared, wherever they lie and whoever wrote the first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.hub.difference import difference


@pytest.mark.parametrize("recipe", ["a: &a [1]\nb: *a\n", "a: !!int ''\n", "a: 1\na: 2\n"])
def test_a_recipe_that_unrolls_or_is_none_is_refused(tones: Path, recipe: str) -> None:
    rows = tones / "rows.parquet"
    ours = (tones / "recipe.yaml").read_text(encoding="utf-8")
    with pytest.raises(InputError, match=r"recipe\.yaml of the revision on the Hub is not what"):
        difference(rows, rows, recipe, ours)


def test_a_folder_whose_name_is_a_pattern(tones: Path, tmp_path: Path) -> None:
    rows = tmp_path / "set [v1]*" / "rows.parquet"
    rows.parent.mkdir()
    shutil.copy(tones / "rows.parquet", rows)
    recipe = (tones / "recipe.yaml").read_text(encoding="utf-8")
    found = difference(rows, rows, recipe, recipe)
    assert found.summary == "0 rows added, 0 removed, 0 changed"
