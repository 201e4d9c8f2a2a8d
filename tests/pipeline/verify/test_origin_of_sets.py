"""Whose a set and its clips are: marks by their values, the manifest's head, and the recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.cards.describe import describe
from pipeline.dataset.layout import MANIFEST
from pipeline.dataset.manifest import write_manifest
from pipeline.errors import InputError
from pipeline.hub.package import open_package
from pipeline.provenance.flac import comments_of, with_comments
from pipeline.recipe import published
from pipeline.recipe_file import load_recipe, parse_recipe
from pipeline.verify import claims
from pipeline.verify.findings import Findings
from pipeline.verify.folder import check_package, verify_folder
from pipeline.verify.shards import check_clips
from tests.tiny_set import tiny_recipe, tiny_rows, tone, write_set_with

FIRST = "train-angry-0.en.0"
FIRST_SHARD = "data/en/train-00000-of-00002.parquet"
HUMAN = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def clip_faults(folder: Path, **fields: Any) -> list[str]:
    """What is found of the first clip of a set whose first row has other fields."""
    write_set_with(folder, **fields)
    findings = Findings()
    check_clips(folder, tiny_recipe(), [folder / FIRST_SHARD], findings)
    return [problem.what for problem in findings.problems]


def remarked(**marks: str | None) -> dict[str, Any]:
    """The first clip with other marks; none takes one away."""
    flac = tiny_rows()[0][1]["audio"]["bytes"]
    said = {**comments_of(flac), **marks}
    kept = {name: value for name, value in said.items() if value is not None}
    return {"bytes": with_comments(flac, kept), "path": f"{FIRST}.flac"}


@pytest.mark.parametrize(
    ("mark", "value"),
    [
        ("DIGITAL_SOURCE_TYPE", HUMAN),
        ("DIGITAL_SOURCE_TYPE", ""),
        ("COMMENT", "recording of a person"),
        ("COMMENT", None),
        ("GENERATOR", "a microphone"),
        ("GENERATOR", "m5ser, and a person"),
        ("GENERATOR", None),
        ("CLIP_FINGERPRINT", "0" * 64),
        ("CLIP_FINGERPRINT", None),
        ("TAKE_ID", "other"),
    ],
)
def test_a_clip_whose_marks_say_something_else(
    tmp_path: Path, mark: str, value: str | None
) -> None:
    [told] = clip_faults(tmp_path / "set", audio=remarked(**{mark: value}))
    assert "don't say that it is this take, and synthetic" in told
    assert f"{mark} is '{value or ''}' and not '" in told


def test_a_clip_whose_marks_say_more(tmp_path: Path) -> None:
    [told] = clip_faults(tmp_path / "set", audio=remarked(ARTIST="a person"))
    assert "say more than that it is this take" in told


def test_a_clip_of_another_version_is_right(tmp_path: Path) -> None:
    assert clip_faults(tmp_path / "set", audio=remarked(GENERATOR="m5ser 0.0.9")) == []


def test_a_clip_at_another_rate_than_the_recipe_s(tmp_path: Path) -> None:
    slow = {"sampling_rate": 8_000, "duration_s": 1.0}
    [told] = clip_faults(tmp_path / "set", audio={"bytes": tone(200, 0.5), "path": "x"}, **slow)
    assert told == "its sampling_rate is 8000, and the recipe's 16000"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fingerprint", "0" * 64),
        ("recipe", "another"),
        ("clip_fingerprint", "1" * 64),
        ("m5ser", "9.9"),
        ("read", {"utterances": 9000}),
        ("certified", "by nobody"),
    ],
)
def test_a_manifest_whose_head_is_another_s(my_tones: Path, field: str, value: Any) -> None:
    manifest = json.loads((my_tones / MANIFEST).read_text())
    (my_tones / MANIFEST).write_text(json.dumps({**manifest, field: value}))
    told = verify_folder(my_tones, listen=False).sentences()
    assert told == [f"build: {MANIFEST}, {field}: it is not what build.json says"]


@pytest.mark.parametrize("field", ["recipe", "clip_fingerprint"])
def test_facts_of_a_build_by_another_recipe(my_tones: Path, field: str) -> None:
    facts = json.loads((my_tones / "build.json").read_text())
    (my_tones / "build.json").write_text(json.dumps({**facts, field: "ab" * 32}))
    write_manifest(my_tones)
    told = verify_folder(my_tones, listen=False).sentences()
    assert told[0].startswith(f"build: build.json, {field}: by recipe.yaml it is '")


def test_a_dry_run_and_a_set_that_was_described_anew_are_right(my_tones: Path) -> None:
    facts = json.loads((my_tones / "build.json").read_text())
    (my_tones / "build.json").write_text(json.dumps({**facts, "limit": 12}))
    describe(my_tones)
    assert verify_folder(my_tones).sentences() == []


@pytest.mark.parametrize("name", ["quickstart", "ravdess", "m5ser-open", "m5ser", "m5ser-smoke"])
def test_a_recipe_says_of_its_clips_what_its_published_form_says(name: str) -> None:
    recipe = load_recipe(name)
    text = yaml.safe_dump(published(recipe), sort_keys=False, allow_unicode=True)
    assert parse_recipe(text).clip_fingerprint() == recipe.clip_fingerprint()


@pytest.mark.parametrize(
    "field", ["splits", "licence", "licences", "selection", "synthesis", "translation", "takes"]
)
def test_a_recipe_without_a_field_that_has_a_default(my_tones: Path, field: str) -> None:
    recipe = yaml.safe_load((my_tones / "recipe.yaml").read_text())
    del recipe[field]
    (my_tones / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    write_manifest(my_tones)
    assert verify_folder(my_tones, listen=False).sentences() == []
    check_package(open_package(my_tones))


def test_a_recipe_whose_lack_changes_the_set_is_told_by_what_it_changes(my_tones: Path) -> None:
    recipe = yaml.safe_load((my_tones / "recipe.yaml").read_text())
    del recipe["prosody"]
    (my_tones / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    write_manifest(my_tones)
    findings = verify_folder(my_tones, listen=False)
    assert set(findings.wrong) == {"build", "card"}


def test_a_card_that_can_not_be_made_for_another_reason_than_the_licence(
    my_tones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> str:
        raise InputError("there is no ink")

    monkeypatch.setattr(claims, "card_of", refuse)
    [told] = verify_folder(my_tones, listen=False).sentences()
    assert told.startswith("card: build.json: no card can be made of it: ")
    assert "there is no ink" in told
