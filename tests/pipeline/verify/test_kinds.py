"""What a folder is, a set or a model: neither passes for the other, nor hides anything in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from flows.publish import run_verify
from pipeline.dataset.layout import CARD, MANIFEST, WEIGHTS
from pipeline.dataset.manifest import describe_file
from pipeline.hub.package import BadPackage, open_package
from pipeline.verify.folder import verify_folder
from tests.hub_repositories import Repo
from tests.hub_server import Hub
from tests.publishing import NAME


def adopt(folder: Path, *names: str, **facts: str) -> None:
    """Files that lie there in the manifest, and other facts before them."""
    manifest = json.loads((folder / MANIFEST).read_text()) | facts
    manifest["files"] |= {name: describe_file(folder / name) for name in names}
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.fixture
def with_weights(my_tones: Path) -> Path:
    """A set with a clip that isn't what its row says, and a model's weights beside it."""
    shard = next(my_tones.glob("data/en/train-00000*"))
    content = bytearray(shard.read_bytes())
    content[2000] ^= 1
    shard.write_bytes(content)
    save_file({"weight": np.ones((2, 2), np.float32)}, my_tones / WEIGHTS)
    fingerprint = describe_file(my_tones / WEIGHTS)["sha256"]
    adopt(my_tones, WEIGHTS, shard.relative_to(my_tones).as_posix(), fingerprint=fingerprint)
    return my_tones


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "recipe.yaml").write_text("name: tiny\n")
    (folder / CARD).write_text("# tiny\n")
    save_file({"weight": np.ones((2, 2), np.float32)}, folder / WEIGHTS)
    (folder / MANIFEST).write_text(open_package(folder).text)
    return folder


def test_weights_do_not_keep_a_set_from_being_looked_into(with_weights: Path) -> None:
    findings = verify_folder(with_weights)
    assert f"files: {WEIGHTS}: it is no file of a set" in findings.sentences()[0]
    assert "clips" in findings.checks
    assert "weights" not in findings.checks


def test_a_set_with_weights_is_not_published_as_a_model(with_weights: Path) -> None:
    with pytest.raises(BadPackage, match=r"holds a set .* and a model .*: move one of them out"):
        open_package(with_weights)


def test_a_model_holds_only_what_m5ser_writes_for_one(model: Path) -> None:
    assert verify_folder(model).sentences() == []
    (model / "evil.py").write_text("print('hello')\n")
    adopt(model, "evil.py")
    [told] = verify_folder(model).sentences()
    assert told == "files: evil.py: it is no file of a model: take it away"


def test_a_model_has_a_card_and_a_recipe(model: Path) -> None:
    manifest = json.loads((model / MANIFEST).read_text())
    del manifest["files"]["recipe.yaml"]
    (model / "recipe.yaml").unlink()
    (model / MANIFEST).write_text(json.dumps(manifest))
    [told] = verify_folder(model).sentences()
    assert told == f"files: recipe.yaml: {MANIFEST} does not have it, and every model has one"


def put(repo: Repo, folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            repo.put(path.relative_to(folder).as_posix(), path.read_bytes())


def test_a_dataset_repository_is_verified_as_a_set(hub: Hub, model: Path) -> None:
    put(hub.repos.setdefault(("dataset", NAME), Repo("dataset", NAME, private=False)), model)
    findings = run_verify(NAME, None, 0, []).findings
    told = "\n".join(findings.sentences())
    assert f"files: {WEIGHTS}: it is no file of a set" in told
    assert "files: build.json: MANIFEST.json does not have it, and every set has one" in told


def test_a_model_repository_is_verified_as_a_model(hub: Hub, my_tones: Path) -> None:
    put(hub.repos.setdefault(("model", NAME), Repo("model", NAME, private=False)), my_tones)
    told = "\n".join(run_verify(NAME, None, 0, []).findings.sentences())
    assert f"files: {WEIGHTS}: {MANIFEST} does not have it, and every model has one" in told
    assert "files: rows.parquet: it is no file of a model: take it away" in told
