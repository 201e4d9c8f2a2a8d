"""provenance.json: what made the clips, in C2PA's words, from the folder alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.dataset.credentials import write_credentials
from pipeline.dataset.layout import CREDENTIALS
from pipeline.provenance.terms import LicenceError

Make = Callable[..., Path]


def credentials_of(folder: Path) -> dict[str, Any]:
    write_credentials(folder)
    found: dict[str, Any] = json.loads((folder / CREDENTIALS).read_text(encoding="utf-8"))
    return found


def assertion(credentials: dict[str, Any], label: str) -> dict[str, Any]:
    [data] = [one["data"] for one in credentials["assertions"] if one["label"] == label]
    return dict(data)


def test_the_first_action_creates_and_says_by_what_kind_of_source(dataset_folder: Path) -> None:
    credentials = credentials_of(dataset_folder)
    created, edited = assertion(credentials, "c2pa.actions.v2")["actions"]
    assert created["action"] == "c2pa.created"
    assert created["softwareAgent"] == {"name": "espeak", "version": "0.2.4"}
    assert created["digitalSourceType"].startswith("http://cv.iptc.org/newscodes/")
    assert created["digitalSourceType"].endswith("/algorithmicMedia")
    assert (edited["action"], edited["softwareAgent"]["name"]) == ("c2pa.edited", "world")
    assert credentials["claim_generator_info"] == [{"name": "m5ser", "version": "0.1.0"}]


def test_a_watermark_is_an_action_of_its_own(make_dataset_folder: Make) -> None:
    folder = make_dataset_folder(recipe={"watermark": {"engine": "audioseal", "message": 7}})
    actions = assertion(credentials_of(folder), "c2pa.actions.v2")["actions"]
    assert actions[-1]["action"] == "c2pa.watermarked"


def test_it_states_recipe_licence_and_where_the_hashes_are(dataset_folder: Path) -> None:
    credentials = credentials_of(dataset_folder)
    made = assertion(credentials, "m5ser.recipe")
    assert (made["fingerprint"], made["licence"]) == ("ab" * 32, "Apache-2.0")
    assert assertion(credentials, "m5ser.files") == {"alg": "sha256", "hashes": "MANIFEST.json"}


def test_every_component_is_an_ingredient_with_its_licence(dataset_folder: Path) -> None:
    ingredients = {one["title"]: one for one in credentials_of(dataset_folder)["ingredients"]}
    assert {"quickstart", "espeak", "world", "dnsmos"} <= set(ingredients)
    assert ingredients["espeak"]["metadata"]["licence"] == "GPL-3.0-or-later"
    assert {one["relationship"] for one in ingredients.values()} == {"inputTo"}


def test_the_same_folder_gives_the_same_bytes(make_dataset_folder: Make) -> None:
    here, there = make_dataset_folder("here"), make_dataset_folder("there")
    assert credentials_of(here) == credentials_of(there)
    assert (here / CREDENTIALS).read_bytes() == (there / CREDENTIALS).read_bytes()


def test_a_laxer_claim_writes_none(make_dataset_folder: Make) -> None:
    folder = make_dataset_folder(recipe={"licence": "MIT"})
    with pytest.raises(LicenceError):
        write_credentials(folder)
    assert not (folder / CREDENTIALS).exists()
