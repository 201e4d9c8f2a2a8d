from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cards.describe import describe
from pipeline.dataset.layout import CARD, MANIFEST
from pipeline.dataset.manifest import read_manifest
from pipeline.errors import InputError
from pipeline.hub.publish import Options, publish
from pipeline.hub.remote import needed_manifest
from pipeline.hub.repository import connect
from pipeline.parts.pull import Pulled, Selection, pull
from pipeline.parts.source import InFolder, OnHub
from pipeline.verify.folder import verify_folder
from tests.hub_server import Hub
from tests.publishing import publishing
from tests.tiny_set import LANGUAGES, marked, write_set

NAME = "org/tones"


@pytest.fixture
def published(hub: Hub, tones: Path) -> str:
    publish(tones, NAME, Options(tag="v1"), lambda package: None, lambda done, due: None)
    hub.requests.clear()
    return NAME


def pulled(folder: Path, **wanted: Any) -> list[dict[str, Any]]:
    taken(folder, **wanted)
    shards = sorted(folder.glob("data/*/*.parquet"))
    return [row for shard in shards for row in pq.read_table(shard).to_pylist()]


def taken(folder: Path, **wanted: Any) -> Pulled:
    repository = connect(NAME, "dataset", must_write=False)
    at = repository.read()
    manifest = needed_manifest(repository, at)
    source = OnHub(repository, at)
    return pull(source, manifest, Selection(**wanted), folder, lambda done, due: None)


def downloads(hub: Hub) -> list[str]:
    return sorted(
        {one.rpartition("/data/")[2] for one in hub.requests if "/data/" in one and "GET" in one}
    )


def test_only_the_shards_that_are_needed_come(hub: Hub, published: str, tmp_path: Path) -> None:
    rows = pulled(tmp_path / "part", languages=("de", "fr"), emotions=("angry",))
    assert Counter((row["language"], row["emotion"]) for row in rows) == {
        ("de", "angry"): 4,
        ("fr", "angry"): 4,
    }
    assert downloads(hub) == [
        f"{language}/{split}-00000-of-00002.parquet"
        for language in ("de", "fr")
        for split in ("test", "train")
    ]


def test_a_part_is_a_sound_set_that_says_what_it_is_of(
    hub: Hub, published: str, tmp_path: Path
) -> None:
    folder = tmp_path / "part"
    pulled(folder, languages=("de",), splits=("train",))
    describe(folder)
    assert verify_folder(folder).sentences() == []
    part = json.loads((folder / "build.json").read_text())["part"]
    assert part == {
        "repository": NAME,
        "revision": hub.dataset(NAME).branches["main"],
        "fingerprint": "ab" * 32,
        "languages": ["de"],
        "emotions": None,
        "splits": ["train"],
        "hours": None,
    }
    assert NAME in (folder / CARD).read_text(encoding="utf-8")
    assert read_manifest(folder).fingerprint != "ab" * 32


def test_rows_are_taken_as_they_are(published: str, tones: Path, tmp_path: Path) -> None:
    name = "data/de/train-00000-of-00002.parquet"
    pulled(tmp_path / "part", languages=("de",))
    assert pq.read_table(tmp_path / "part" / name).equals(pq.read_table(tones / name))
    assert (
        pq.read_schema(tmp_path / "part" / name).metadata == pq.read_schema(tones / name).metadata
    )


def test_hours_are_shared_out_and_never_exceeded(hub: Hub, published: str, tmp_path: Path) -> None:
    rows = pulled(tmp_path / "part", hours=11.0 / 3600)
    assert 9.0 <= sum(row["duration_s"] for row in rows) <= 11.0
    assert Counter(row["emotion"] for row in rows) == {"angry": 6, "happy": 6, "sad": 6}
    sentences = [{row["source_id"] for row in rows if row["language"] == at} for at in LANGUAGES]
    assert sentences == [sentences[0]] * 3, "what is said in one language is said in all"


def test_hours_of_a_sorted_list_are_of_every_emotion_and_speaker(hub: Hub, tmp_path: Path) -> None:
    def change(rows: list) -> list:
        """Forty takes of each emotion, one after another; the first speaker's before the other's"""
        taken = [row for at, row in rows if at == "train" and row["language"] == "en"]
        many = [{**row, "speaker_id": f"{copy > 19}"} for row in taken[::2] for copy in range(40)]
        for number, row in enumerate(many):
            row["take_id"], row["source_id"] = f"take-{number}", f"sentence-{number}"
            row["audio"] = {**row["audio"], "bytes": marked(row["audio"]["bytes"], row["take_id"])}
        return [("train", row) for row in many]

    publishing(write_set(tmp_path / "set", change, languages=["en"]))
    rows = pulled(tmp_path / "part", hours=18.0 / 3600)
    assert Counter(row["emotion"] for row in rows) == {"angry": 12, "happy": 12, "sad": 12}
    assert min(Counter(row["speaker_id"] for row in rows).values()) > 9
    assert len(downloads(hub)) < 20, "of thirty shards"


def test_the_hours_that_a_set_has_are_all_of_it(published: str, tmp_path: Path) -> None:
    assert len(pulled(tmp_path / "part", hours=1.0)) == 36


def test_what_the_hours_have_no_clip_of_is_told(hub: Hub, tones: Path, tmp_path: Path) -> None:
    def change(rows: list) -> list:
        return [(at, row) for at, row in rows if row["language"] == "en" or row["seed"] == 0][:14]

    publishing(write_set(tmp_path / "set", change, languages=["en", "de"]))
    part = taken(tmp_path / "part", hours=2.0 / 3600)
    assert part.left_out == (("de", "train"),)
    assert not (tmp_path / "part" / "data" / "de").exists()
    assert taken(tmp_path / "whole").left_out == ()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"languages": ("it",)}, "--languages: 'it' is not in the set; it has: de, en, fr"),
        ({"emotions": ("bored",)}, "--emotions: 'bored' is not in the set"),
        ({"splits": ("validation",)}, "--splits: 'validation' is not in the set"),
        ({"hours": 0.0}, "--hours: 0.0 is no length of speech"),
        ({"hours": math.nan}, "--hours: nan is no length of speech"),
        ({"hours": 1e-4}, "--hours: 0.0001 have room for no clip: ask for more"),
    ],
)
def test_what_the_set_lacks_is_said(
    published: str, tmp_path: Path, wanted: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        pulled(tmp_path / "part", **wanted)


def test_a_shard_that_was_swapped_on_the_hub_is_refused(
    hub: Hub, published: str, tones: Path, tmp_path: Path
) -> None:
    other = (tones / "data/en/train-00000-of-00002.parquet").read_bytes()
    hub.dataset(NAME).put("data/de/train-00000-of-00002.parquet", other)
    with pytest.raises(InputError, match="is not what its manifest says"):
        pulled(tmp_path / "part", languages=("de",))


def put_shard(hub: Hub, name: str, content: bytes, **fields: Any) -> None:
    """Put another shard on the Hub, with a manifest that knows it."""
    repo = hub.dataset(NAME)
    manifest = json.loads(repo.files()[MANIFEST])
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest["files"][name] |= entry | fields
    repo.put(name, content)
    repo.put(MANIFEST, json.dumps(manifest).encode())


@pytest.mark.parametrize("content", [b"", b"no parquet" * 100], ids=["empty", "other"])
def test_a_shard_that_is_no_parquet_is_named(
    hub: Hub, published: str, tmp_path: Path, content: bytes
) -> None:
    name = "data/de/train-00000-of-00002.parquet"
    put_shard(hub, name, content)
    with pytest.raises(InputError, match=f"'{name}' of '{NAME}': it is no Parquet that can be"):
        pulled(tmp_path / "part", languages=("de",), splits=("train",))


def test_a_shard_that_the_repository_lacks_is_named(
    hub: Hub, published: str, tmp_path: Path
) -> None:
    repo = hub.dataset(NAME)
    manifest = json.loads(repo.files()[MANIFEST])
    name = "data/de/train-00000-of-00002.parquet"
    lost = "data/de/train-00002-of-00002.parquet"
    manifest["files"][lost] = manifest["files"][name]
    repo.put(MANIFEST, json.dumps(manifest).encode())
    with pytest.raises(InputError, match=f"'{lost}' is in the manifest of '{NAME}' and not"):
        pulled(tmp_path / "part", languages=("de",))
    assert not downloads(hub)


@pytest.mark.parametrize("name", [MANIFEST, "recipe.yaml", "build.json"])
def test_a_text_that_is_none_is_named(hub: Hub, published: str, tmp_path: Path, name: str) -> None:
    hub.dataset(NAME).put(name, b"\xff\xfe")
    with pytest.raises(InputError, match=f"'{name}' of '{NAME}' is no text in UTF-8"):
        pulled(tmp_path / "part", languages=("de",))


@pytest.mark.parametrize("column", ["emotion", "text", "audio"])
def test_a_row_that_unpacks_to_more_than_a_build_writes_is_refused(
    hub: Hub, published: str, tones: Path, tmp_path: Path, column: str
) -> None:
    name = "data/de/train-00000-of-00002.parquet"
    table = pq.read_table(tones / name)
    [row] = table.slice(0, 1).to_pylist()
    large = "a" * (17 << 20)
    row[column] = {"bytes": large.encode(), "path": ""} if column == "audio" else large
    bomb = tmp_path / "bomb.parquet"
    pq.write_table(pa.Table.from_pylist([row] * 2, schema=table.schema), bomb, compression="zstd")
    assert bomb.stat().st_size < 1 << 17
    put_shard(hub, name, bomb.read_bytes(), rows=2)
    with pytest.raises(InputError, match="row 0 unpacks to 18 MB, and at most 17 MB"):
        pulled(tmp_path / "part", languages=("de",), splits=("train",))


def test_a_manifest_that_climbs_out_is_refused(hub: Hub, published: str, tmp_path: Path) -> None:
    manifest = json.loads(hub.dataset(NAME).files()[MANIFEST])
    manifest["files"]["data/../../../x.parquet"] = {"sha256": "ab" * 32, "bytes": 1}
    hub.dataset(NAME).put(MANIFEST, json.dumps(manifest).encode())
    with pytest.raises(InputError, match="does not stay in its folder|no plain relative path"):
        pulled(tmp_path / "part")


def test_a_repository_without_a_manifest(hub: Hub, published: str, tmp_path: Path) -> None:
    repo = hub.dataset(NAME)
    repo.branches["main"] = repo.history("main")[-1].oid
    with pytest.raises(InputError, match=f"has no {MANIFEST}"):
        pulled(tmp_path / "part")


def taken_of(whole: Path, folder: Path, **wanted: Any) -> Pulled:
    source = InFolder(whole, "cd" * 32)
    selection = Selection(**wanted)
    return pull(source, read_manifest(whole), selection, folder, lambda done, due: None)


def test_a_part_of_a_folder_is_the_part_of_the_hub(
    published: str, tones: Path, tmp_path: Path
) -> None:
    wanted = {"languages": ("de", "fr"), "emotions": ("angry",), "hours": 3.0 / 3600}
    taken(tmp_path / "hub", **wanted)
    taken_of(tones, tmp_path / "here", **wanted)
    [theirs, ours] = [sorted((tmp_path / one).glob("data/*/*")) for one in ("hub", "here")]
    assert [path.read_bytes() for path in theirs] == [path.read_bytes() for path in ours]
    part = json.loads((tmp_path / "here" / "build.json").read_text())["part"]
    assert (part["repository"], part["revision"]) == ("tones", "cd" * 32)
    describe(tmp_path / "here")
    assert verify_folder(tmp_path / "here").sentences() == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "is in the manifest of 'tones' and not there: `m5ser ver"),
        (lambda path: path.write_bytes(b"other"), "is not what its manifest says"),
    ],
    ids=["lost", "other"],
)
def test_a_damaged_shard_of_a_folder_is_named(
    my_tones: Path, tmp_path: Path, spoil: Callable[[Path], Any], said: str
) -> None:
    name = "data/de/train-00000-of-00002.parquet"
    spoil(my_tones / name)
    with pytest.raises(InputError, match=f"'{name}' .*{said}"):
        taken_of(my_tones, tmp_path / "part", languages=("de",))


def test_a_text_of_a_folder_that_is_none_is_damage(my_tones: Path, tmp_path: Path) -> None:
    (my_tones / "build.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is no dataset folder, or damaged"):
        taken_of(my_tones, tmp_path / "part", languages=("de",))
