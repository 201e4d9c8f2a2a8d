"""What a folder says of the build that made it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.corpora.base import Unreadable
from pipeline.dataset.manifest import write_manifest
from pipeline.dataset.reading import BadFolder
from pipeline.store import open_store
from pipeline.work.census import Census
from pipeline.work.division import Division
from pipeline.work.intake import Intake
from pipeline.work.outcomes import Outcomes
from pipeline.writing.build import Build
from pipeline.writing.checks import ForeignFolder, check_folder
from pipeline.writing.folder import is_current, write_dataset
from tests.tiny_set import tiny_recipe


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """A build of a corpus that nothing came in from."""
    store = open_store(str(tmp_path / "work"))
    census = Census({}, {}, None, {}, {})
    return Build(store, tiny_recipe(), Intake(), census, Division({}), [], Outcomes())


def test_a_limit_is_written_where_one_was_given(build: Build, tmp_path: Path) -> None:
    write_dataset(tmp_path / "whole", build, write_manifest)
    write_dataset(tmp_path / "dry", replace(build, limit=3), write_manifest)
    whole, dry = (
        json.loads((tmp_path / name / "build.json").read_text()) for name in ("whole", "dry")
    )
    assert list(whole) == [
        "m5ser", "recipe", "fingerprint", "clip_fingerprint", "read", "probe", "components",
    ]  # fmt: skip
    assert dry == {**whole, "fingerprint": dry["fingerprint"], "limit": 3}


def test_a_dry_run_is_not_taken_for_the_whole(build: Build, tmp_path: Path) -> None:
    dry = replace(build, limit=3)
    write_dataset(tmp_path / "set", dry, write_manifest)
    assert is_current(tmp_path / "set", dry)
    assert not is_current(tmp_path / "set", build)
    assert not is_current(tmp_path / "set", replace(build, limit=4))


def test_a_dry_run_does_not_replace_the_whole(build: Build, tmp_path: Path) -> None:
    dry = replace(build, limit=3)
    for one in (dry, replace(build, limit=4), build):
        write_dataset(tmp_path / "set", one, write_manifest)
    with pytest.raises(ForeignFolder, match="--limit: .* a dry run would replace"):
        check_folder(tmp_path / "set", dry.recipe, 3)
    with pytest.raises(ForeignFolder):
        write_dataset(tmp_path / "set", dry, write_manifest)
    assert is_current(tmp_path / "set", build)


@pytest.mark.parametrize(
    "changed",
    [Intake(dropped=Counter(bored=1)), Intake(unreadable=[Unreadable("u9", "it has no text")])],
)
def test_an_entry_that_comes_to_nothing_is_written_too(
    build: Build, tmp_path: Path, changed: Intake
) -> None:
    write_dataset(tmp_path / "set", build, write_manifest)
    assert is_current(tmp_path / "set", build)
    assert not is_current(tmp_path / "set", replace(build, intake=changed))


def test_what_cannot_be_replaced_is_refused_before_any_work(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadFolder, match=r"--out: '\.' is the current folder"):
        check_folder(Path(), build.recipe, None)
    monkeypatch.setattr(Path, "is_mount", lambda _: True)
    with pytest.raises(BadFolder, match="is a mount point"):
        check_folder(tmp_path / "set", build.recipe, None)
