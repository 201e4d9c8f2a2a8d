"""What a folder says of the build that made it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.dataset.manifest import write_manifest
from pipeline.dataset.writing import Build, is_current, write_dataset
from pipeline.work.census import Census
from pipeline.work.intake import Intake
from pipeline.work.outcomes import Outcomes
from pipeline.work.store import open_store
from tests.tiny_set import tiny_recipe


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """A build of a corpus that nothing came in from."""
    census = Census({}, {}, {}, None, {}, {})
    store = open_store(str(tmp_path / "work"))
    return Build(store, tiny_recipe(), Intake(), census, [], Outcomes())


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
