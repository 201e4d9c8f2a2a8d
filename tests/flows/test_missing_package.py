"""What is not installed is said in a sentence with the command that installs it."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from flows.cli import app
from pipeline.judges.bundled import need


def said(monkeypatch, error_of):
    monkeypatch.setattr("flows.cli.load_recipe", lambda *_: error_of())
    done = CliRunner().invoke(app, ["plan", "quickstart"])
    assert done.exit_code == 2
    return done.stderr


def test_an_engine_that_knows_its_package_names_it(monkeypatch):
    text = said(monkeypatch, lambda: need("no_such_ear", "no-such-ear>=2"))
    assert "needs the module 'no_such_ear'" in text
    assert "pip install 'no-such-ear>=2'" in text
    assert "None" not in text


def test_any_other_module_is_named_with_the_extras(monkeypatch):
    monkeypatch.setitem(sys.modules, "TTS", None)

    def imported():
        import TTS  # noqa: F401

    text = said(monkeypatch, imported)
    assert "'TTS'" in text
    assert "pip install -e '.[neural,train]'" in text


@pytest.mark.parametrize(("runner", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_a_cluster_s_package_is_named_with_its_own_extra(monkeypatch, tmp_path, runner, module):
    monkeypatch.setitem(sys.modules, module, None)
    work = ("--work", str(tmp_path / "work"), "--out", str(tmp_path / "out"))
    done = CliRunner().invoke(app, ["build", "quickstart", "--runner", runner, *work])
    assert done.exit_code == 2
    assert f"'{module}' is missing: pip install -e '.[{runner}]'" in done.stderr
