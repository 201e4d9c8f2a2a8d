"""A missing package is one sentence with the command that installs it."""

from __future__ import annotations

import pytest

from pipeline.judges.bundled import need, package_folder


@pytest.mark.parametrize("find", [need, package_folder])
def test_a_missing_package_is_named_with_its_pip_command(find):
    with pytest.raises(ModuleNotFoundError, match=r"'no_such_ear'.*pip install 'no-such-ear>=2'"):
        find("no_such_ear", "no-such-ear>=2")


def test_a_package_is_found_without_running_it(tmp_path, monkeypatch):
    (tmp_path / "loud_ear").mkdir()
    (tmp_path / "loud_ear/__init__.py").write_text("raise RuntimeError('it ran')")
    monkeypatch.syspath_prepend(tmp_path)
    assert package_folder("loud_ear", "loud-ear") == tmp_path / "loud_ear"
