"""Texts of a stranger's repository: nothing is downloaded that is too large to be one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipeline.dataset.layout import MANIFEST
from pipeline.hub.errors import HubRefused
from pipeline.hub.repository import HubFile, Repository, Revision


class _Api(SimpleNamespace):
    """A client that downloads from a folder, and counts."""

    folder: Path
    downloads = 0

    def hf_hub_download(self, repo_id: str, name: str, **_: str) -> str:
        self.downloads += 1
        return str(self.folder / name)


def repository(folder: Path) -> tuple[Repository, _Api]:
    """A repository that has the files of a folder."""
    api = _Api(folder=folder)
    return Repository(cast(Any, api), "org/set", "dataset"), api


def revision(name: str, size: int) -> Revision:
    """A revision with a file that is said to have this size."""
    return Revision("abc", {name: HubFile(size, "oid", None)})


@pytest.mark.parametrize(
    ("name", "size", "most"),
    [(MANIFEST, 3_000_000_000, 34), ("recipe.yaml", 5_000_000, 2), ("build.json", 5_000_000, 2)],
)
def test_a_text_of_any_size_is_not_read(tmp_path: Path, name: str, size: int, most: int) -> None:
    stranger, api = repository(tmp_path)
    said = f"'{name}' of 'org/set' has {size // 10**6} MB, and at most {most} MB are read"
    with pytest.raises(HubRefused, match=said):
        stranger.text(name, revision(name, size))
    assert api.downloads == 0


def test_a_text_of_a_set_is_read(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: tiny\n")
    known, api = repository(tmp_path)
    assert known.text("recipe.yaml", revision("recipe.yaml", 11)) == "name: tiny\n"
    assert known.text("other", revision("recipe.yaml", 11)) is None
    assert api.downloads == 1
