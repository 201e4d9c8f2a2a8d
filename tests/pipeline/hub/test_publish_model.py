"""A trained model on the Hub: what of its folder arrives, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.dataset.layout import CARD, MANIFEST
from pipeline.errors import InputError
from tests.hub_server import Hub
from tests.publishing import publishing


@pytest.fixture
def model(tmp_path: Path) -> Path:
    import numpy as np
    from safetensors.numpy import save_file

    folder = tmp_path / "model"
    (folder / "checkpoint-01-00000010").mkdir(parents=True)
    (folder / "checkpoint-01-00000010" / "rest.pt").write_bytes(b"a pickle")
    save_file({"weight": np.ones((4, 4), np.float32)}, folder / "model.safetensors")
    (folder / "recipe.yaml").write_text("name: tiny\n")
    (folder / "training.yaml").write_text("name: tiny\n")
    (folder / CARD).write_text("---\nlibrary_name: m5ser\n---\n\n# tiny\n")
    (folder / "metrics.csv").write_text("step,loss\n")
    (folder / "config.json").write_text("{}")
    (folder / "figures").mkdir()
    (folder / "figures" / "confusion.png").write_bytes(b"a picture")
    (folder / "best-align.safetensors").write_bytes(b"of an earlier stage")
    return folder


def test_a_model_is_published_without_its_checkpoints(hub: Hub, model: Path) -> None:
    published = publishing(model, "org/tiny")
    assert published.kind == "model"
    assert set(hub.repo("model", "org/tiny").files()) == {
        ".gitattributes", "CHANGES.md", MANIFEST, CARD, "config.json", "figures/confusion.png",
        "metrics.csv", "model.safetensors", "recipe.yaml",
    }  # fmt: skip
    assert publishing(model, "org/tiny").commits == 0


def test_a_link_to_a_file_of_this_machine_is_not_followed(
    hub: Hub, model: Path, my_tones: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("mine")
    for folder, name in ((model, "config.json"), (my_tones, "build.json")):
        (folder / name).unlink()
        (folder / name).symlink_to(tmp_path / "secret")
        with pytest.raises(InputError, match=f"'{name}' is a link to somewhere else"):
            publishing(folder, "org/tiny")
    assert not hub.repos


def test_an_unfinished_model(hub: Hub, model: Path) -> None:
    (model / CARD).unlink()
    with pytest.raises(InputError, match=f"has no {CARD}"):
        publishing(model, "org/tiny")


@pytest.mark.parametrize("path", ["/home/ada/sets/tones", "C:\\\\Users\\\\ada"])
def test_a_model_whose_recipe_tells_of_this_machine(hub: Hub, model: Path, path: str) -> None:
    text = f'name: tiny\ndata: {{sets: [{{path: "{path}"}}]}}\n'
    (model / "recipe.yaml").write_text(text)
    with pytest.raises(InputError, match="which tells of this machine"):
        publishing(model, "org/tiny")
