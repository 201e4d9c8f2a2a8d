"""Where Prefect's files lie."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from pipeline.errors import InputError


@pytest.mark.parametrize(
    ("work", "home"),
    [("{0}", "{0}"), ("file://{0}", "{0}"), ("memory://store", "builds/.work")],
)
def test_they_lie_in_the_work_store_or_in_the_default_one(tmp_path, monkeypatch, work, home):
    def prepare(place):
        raise InputError(f"would be in {place}.")

    monkeypatch.setattr("flows.cli.prepare_prefect", prepare)
    done = CliRunner().invoke(app, ["build", "quickstart", "--work", work.format(tmp_path)])
    assert done.stderr == f"error: would be in {Path(home.format(tmp_path))}.\n"
