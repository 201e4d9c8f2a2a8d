"""Clips that are made again are told apart by what differs, and no stranger's command is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.errors import InputError
from pipeline.provenance.flac import with_comments
from pipeline.recipe_file import parse_recipe
from pipeline.verify.findings import Findings
from pipeline.verify.remake import _has_command, check_remade
from tests.tiny_set import RECIPE, tiny_recipe, tone


def test_every_difference_is_named_and_what_is_the_same_is_counted(
    my_tones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = {
        row["take_id"]: row["audio"]["bytes"]
        for shard in my_tones.glob("*/*/*.parquet")
        for row in pq.read_table(shard, columns=["take_id", "audio"]).to_pylist()
    }
    repacked, other, gone = sorted(clips)[:3]
    made = {**clips, repacked: with_comments(clips[repacked], {}), other: tone(333, 0.5)}
    del made[gone]
    monkeypatch.setattr("pipeline.verify.remake._make", lambda *_: made)
    findings = Findings()
    check_remade(my_tones, tiny_recipe(), len(clips), findings)
    assert {one.where: one.what for one in findings.problems} == {
        repacked: "its samples are the same, and its packing or comments differ",
        other: "it comes out otherwise: another version of an engine, or another corpus",
        gone: "the recipe does not make it here",
    }
    same = f"{len(clips) - 3} of {len(clips)} clips are the same, byte by byte"
    assert findings.checks["rebuild"] == same


def test_a_command_of_whoever_wrote_the_recipe_is_not_run(my_tones: Path) -> None:
    speaks = {"synthesis": {"engine": "command", "command": ["touch", "ran"]}}
    recipe = parse_recipe(yaml.safe_dump({**yaml.safe_load(RECIPE), **speaks}))
    with pytest.raises(InputError, match="--rebuild: the recipe runs a command"):
        check_remade(my_tones, recipe, 1, Findings())


@pytest.mark.parametrize("settings", [{"back": {"command": ["ls"]}}, {"several": [{"command": 1}]}])
def test_a_command_is_found_however_deep_it_stands(settings: dict[str, Any]) -> None:
    assert _has_command({"name": "tones", "synthesis": settings})
    assert not _has_command({"name": "command", "synthesis": {"engine": "espeak"}})
