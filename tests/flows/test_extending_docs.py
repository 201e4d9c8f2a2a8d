"""docs/extending.md names only what is there."""

import re
from pathlib import Path

import pytest

from model.recipe.training import LOSSES, Losses
from pipeline.engine import Engine
from pipeline.judges.base import Judge
from pipeline.provenance.components import Component
from pipeline.selection.choose import CHOICES
from pipeline.synthesis.base import Speech, Synthesizer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"`((?:pipeline|model|recipes)/[\w/.]*)", PAGE)))
FAMILIES = re.findall(r"in `(pipeline/\w+)/` \| `([\w.]+)` there", PAGE)
LEDGERS = re.findall(r"`(\w+\.yaml)`", "".join(re.findall(r"^\|.*$", PAGE, re.M)))


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("family", "file"), FAMILIES)
def test_a_family_s_list_is_where_it_says(family, file):
    assert "discriminator" in (ROOT / family / file).read_text(encoding="utf-8")


def test_the_page_was_read():
    assert len(PATHS) > 10
    assert len(FAMILIES) == 4
    assert len(LEDGERS) == 6


@pytest.mark.parametrize("name", LEDGERS)
def test_a_file_of_the_ledger_is_there(name):
    assert (ROOT / "pipeline" / "provenance" / "ledger" / name).is_file()


def test_names_are_those_of_the_code():
    for owner, names in {
        Engine: ("price", "prices", "lacks", "languages", "version", "wheels"),
        Judge: ("checks", "measures", "scores", "load"),
        Synthesizer: ("deterministic", "voice_for"),
        Speech: ("phones", "counted_phones"),
    }.items():
        assert all(name in PAGE and hasattr(owner, name) for name in names if name != "phones")
    fields = ("covers_output", "read_in", "source_type", "setting", "package")
    assert all(f"`{name}`" in PAGE and name in Component.model_fields for name in fields)
    assert set(LOSSES) <= set(Losses.model_fields)
    assert CHOICES
