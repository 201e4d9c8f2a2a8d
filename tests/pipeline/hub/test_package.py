"""What of a folder is published, and what is refused before it is looked into."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.dataset.layout import CARD, MANIFEST, WEIGHTS
from pipeline.dataset.manifest import write_manifest
from pipeline.hub.package import BadPackage, open_package
from pipeline.verify.folder import check_package, verify_folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder as far as it is opened by names alone."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "recipe.yaml").write_text("name: tiny\n")
    for name in (CARD, WEIGHTS, "metrics.csv"):
        (folder / name).write_text("")
    return folder


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (b"", "is no recipe with a name: put back there"),
        (b"- a\n", "is no recipe with a name"),
        (b"seed: 1\n", "is no recipe with a name"),
        (b"name: 3\n", "is no recipe with a name"),
        (b"name: [1\n", "can't be read .*put back there"),
        (b"name: !!int ''\n", "can't be read"),
        (b"name: x\nmore: &a [1]\nagain: *a\n", "can't be read .*aliases"),
        (b"\xff\xfe", "can't be read"),
    ],
)
def test_a_model_whose_recipe_is_none(model: Path, recipe: bytes, said: str) -> None:
    (model / "recipe.yaml").write_bytes(recipe)
    with pytest.raises(BadPackage, match=f"recipe.yaml of .*{said}"):
        open_package(model)


def test_a_models_hidden_files_and_folders_stay_at_home(model: Path) -> None:
    (model / ".notes.md").write_text("mine")
    (model / "figures").mkdir()
    (model / "figures" / ".DS_Store.png").write_text("mine")
    (model / "old.md").mkdir()
    assert set(open_package(model).manifest.files) == {CARD, WEIGHTS, "metrics.csv", "recipe.yaml"}


@pytest.mark.parametrize(
    "name", ["list.csv", "speakers.csv", "NOTES.md", "me.png", "figures/me.png", "training.yaml"]
)
def test_what_a_person_put_beside_a_model_stays_at_home(model: Path, name: str) -> None:
    (model / "figures").mkdir()
    (model / name).write_text("mine")
    assert set(open_package(model).manifest.files) == {CARD, WEIGHTS, "metrics.csv", "recipe.yaml"}


def test_all_that_a_training_and_an_evaluation_write_is_published(model: Path) -> None:
    written = {
        "config.json", "curves.png", "evaluation.json", "evaluation.md",
        "figures/confusion.png", "figures/embeddings.png",
    }  # fmt: skip
    (model / "figures").mkdir()
    for name in written:
        (model / name).write_text("")
    package = open_package(model)
    assert set(package.manifest.files) == written | {CARD, WEIGHTS, "metrics.csv", "recipe.yaml"}


def test_a_trained_model_may_have_its_checkpoints_beside_it(model: Path) -> None:
    save_file({"weight": np.ones((2, 2), np.float32)}, model / WEIGHTS)
    (model / "checkpoint-01").mkdir()
    (model / "checkpoint-01" / "rest.pt").write_bytes(b"a pickle")
    (model / "training.yaml").write_text("name: tiny\n")
    check_package(open_package(model))


def test_a_model_that_was_published_may_not(model: Path) -> None:
    save_file({"weight": np.ones((2, 2), np.float32)}, model / WEIGHTS)
    package = open_package(model)
    (model / MANIFEST).write_text(package.text)
    (model / "rest.pt").write_bytes(b"a pickle")
    with pytest.raises(BadPackage, match=r"files: rest\.pt: .* does not have it"):
        check_package(package)


def test_a_model_whose_manifest_has_another_s_fingerprint(model: Path) -> None:
    save_file({"weight": np.ones((2, 2), np.float32)}, model / WEIGHTS)
    forged = json.loads(open_package(model).text) | {"fingerprint": "0" * 64}
    (model / MANIFEST).write_text(json.dumps(forged))
    [told] = verify_folder(model).sentences()
    assert told == f"weights: {MANIFEST}, fingerprint: it is not that of the weights"


@pytest.mark.parametrize("name", [".env", ".git/config", "notes.txt", "data/en/.netrc"])
def test_a_manifest_that_adopted_a_file_is_refused(my_tones: Path, name: str) -> None:
    """As `m5ser report` once wrote it."""
    entry = {"sha256": "ab" * 32, "bytes": 4}
    manifest = json.loads((my_tones / MANIFEST).read_text())
    manifest["files"][name] = entry
    (my_tones / MANIFEST).write_text(json.dumps(manifest))
    (my_tones / name).parent.mkdir(exist_ok=True)
    (my_tones / name).write_text("mine")
    with pytest.raises(BadPackage, match=f"'{name}' is no file of a set: move it out"):
        open_package(my_tones)


def test_a_file_of_somebody_is_told_to_be_moved_out(my_tones: Path) -> None:
    (my_tones / ".env").write_text("HF_TOKEN=hf_secret\n")
    write_manifest(my_tones)
    package = open_package(my_tones)
    assert ".env" not in [*package.data(), *package.rest()]
    with pytest.raises(BadPackage, match=r"files: \.env: .* does not have it: move it out"):
        check_package(package)


def test_a_clone_and_a_download_of_a_set_can_be_published(my_tones: Path) -> None:
    (my_tones / ".git/objects").mkdir(parents=True)
    (my_tones / ".git/config").write_text("url = https://u:hf_x@huggingface.co")
    (my_tones / ".cache/huggingface").mkdir(parents=True)
    (my_tones / ".cache/huggingface/.gitignore").write_text("*")
    (my_tones / ".gitattributes").write_text("*.parquet filter=lfs\n")
    (my_tones / "CHANGES.md").write_text("# Changes\n")
    before = set(open_package(my_tones).manifest.files)
    write_manifest(my_tones)
    package = open_package(my_tones)
    check_package(package)
    assert set(package.manifest.files) == before
