"""The files of a folder against its manifest, whoever wrote it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from pipeline.dataset.layout import MANIFEST
from pipeline.dataset.manifest import read_manifest
from pipeline.errors import InputError
from pipeline.verify.folder import verify_folder


def test_a_changed_a_missing_and_an_unknown_file(my_tones: Path) -> None:
    shard, other, *_ = sorted(my_tones.glob("data/*/*.parquet"))
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    other.unlink()
    (my_tones / "extra.py").write_text("print('hello')")
    told = "\n".join(verify_folder(my_tones).sentences())
    assert f"{shard.relative_to(my_tones)}: it was changed" in told
    assert f"{other.relative_to(my_tones)}: it is missing" in told
    assert f"extra.py: {MANIFEST} does not have it" in told


def test_a_manifest_that_counts_wrong(my_tones: Path) -> None:
    manifest = json.loads((my_tones / MANIFEST).read_text())
    manifest["files"]["data/en/train-00000-of-00002.parquet"]["rows"] = 5
    (my_tones / MANIFEST).write_text(json.dumps(manifest))
    [problem] = verify_folder(my_tones).problems
    assert problem.what == "the manifest is wrong about its rows"


@pytest.mark.parametrize(
    "name", ["../outside.parquet", "/etc/passwd", "data/../../x", "a\\b", "C:x", "a//b", "", "a\nb"]
)
def test_a_manifest_that_climbs_out_is_refused(my_tones: Path, name: str) -> None:
    manifest = json.loads((my_tones / MANIFEST).read_text())
    manifest["files"][name] = {"sha256": "ab" * 32, "bytes": 1}
    (my_tones / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=MANIFEST):
        verify_folder(my_tones)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', "\x00"])
def test_a_manifest_that_is_none_is_refused(my_tones: Path, text: str) -> None:
    (my_tones / MANIFEST).write_text(text)
    with pytest.raises(InputError, match=MANIFEST):
        verify_folder(my_tones)


@pytest.mark.parametrize("name", ["provenance.json", "rows.parquet", "build.json"])
def test_a_file_that_the_manifest_leaves_out(my_tones: Path, name: str) -> None:
    manifest = json.loads((my_tones / MANIFEST).read_text())
    del manifest["files"][name]
    (my_tones / name).unlink()
    (my_tones / MANIFEST).write_text(json.dumps(manifest))
    told = "\n".join(verify_folder(my_tones).sentences())
    assert f"files: {name}: {MANIFEST} does not have it, and every set has one" in told


def test_what_would_keep_a_reader_waiting_is_not_read(my_tones: Path) -> None:
    (my_tones / "recipe.yaml").unlink()
    os.mkfifo(my_tones / "recipe.yaml")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        verify_folder(my_tones)


@pytest.mark.parametrize("target", ["shard", "folder"])
def test_a_shard_that_is_a_link_to_elsewhere(my_tones: Path, tmp_path: Path, target: str) -> None:
    [shard] = my_tones.glob("rejects/en/*.parquet")
    path = shard if target == "shard" else shard.parent
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    name = shard.relative_to(my_tones).as_posix()
    told = verify_folder(my_tones).sentences()
    assert told == [f"files: {name}: it is a link to somewhere else: put the file itself there"]


def test_a_folder_of_the_hubs_cache_links_to_its_blobs(my_tones: Path, tmp_path: Path) -> None:
    snapshot, blobs = tmp_path / "cache/snapshots/abc", tmp_path / "cache/blobs"
    shutil.copytree(my_tones, snapshot)
    blobs.mkdir()
    for number, path in enumerate(sorted(one for one in snapshot.rglob("*") if one.is_file())):
        path.rename(blobs / str(number))
        path.symlink_to(os.path.relpath(blobs / str(number), path.parent))
    assert verify_folder(snapshot).sentences() == []


def test_shards_say_what_of_each_emotion_they_hold(tones: Path) -> None:
    entries = dict(read_manifest(tones).shards())
    emotions = entries["data/en/train-00000-of-00002.parquet"].emotions
    assert emotions
    assert {name: (one.rows, one.seconds) for name, one in emotions.items()} == {
        "angry": (2, 1.1),
        "happy": (2, 1.1),
    }
