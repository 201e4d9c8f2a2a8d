"""Rows of sets that anybody may have made: whose they are, what they may name, and how large."""

import subprocess
import sys
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.data.sources import _LARGEST_ROW, _audio, parts
from model.recipe.sets import FolderSet, HubSet
from pipeline.dataset.shards import kept_schema
from pipeline.errors import InputError

REVISION = "a" * 40
OF_THE_HUB = HubSet(name="someone/speech", revision=REVISION)


def read(data, split="train"):
    return [row for part in parts(data, split) for row in part.rows()]


def test_rows_of_two_configurations_are_not_each_other_s(tmp_path):
    configs = []
    for name in ("de", "fr"):
        (tmp_path / name).mkdir()
        rows = [{"audio": {"bytes": b"sound", "path": "x"}, "emotion": "sad"}] * 2
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name / "train-0.parquet")
        configs.append(f"- config_name: {name}\n  data_files: {name}/train-*.parquet\n")
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n{''.join(configs)}---\n")
    found = [
        row.source
        for name in ("de", "fr")
        for row in read(HubSet(name=str(tmp_path), config=name, language=f"={name}"))
    ]
    assert len(set(found)) == 4
    assert found[2] == f"{tmp_path}/fr/train/0"


@pytest.fixture
def own(tmp_path):
    """A folder that is a set, beside a file that is none of it and a link to that one within."""
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.wav").write_bytes(b"sound")
    (tmp_path / "private.wav").write_bytes(b"private")
    (folder / "link.wav").symlink_to(tmp_path / "private.wav")
    for place in (folder, tmp_path):
        with zipfile.ZipFile(place / "a.zip", "w") as archive:
            archive.writestr("a.wav", b"packed")
    return folder


def audio(path, data):
    return _audio({"bytes": None, "path": path}, data)


def test_a_clip_is_read_from_the_set_s_own_files_and_archives(own):
    data = HubSet(name=str(own))
    for path in ("a.wav", str(own / "a.wav")):
        assert audio(path, data) == (b"sound", None)
    assert audio(f"zip://a.wav::{own / 'a.zip'}", data) == (b"packed", None)
    for missing in ("b.wav", f"zip://b.wav::{own / 'a.zip'}"):
        assert audio(missing, data) == (b"", None)


@pytest.mark.parametrize(
    "path",
    [
        "{above}/private.wav",
        "../private.wav",
        "link.wav",
        "file://{above}/private.wav",
        "file://{above}/set/a.wav",
        "zip://a.wav::{above}/a.zip",
        "simplecache::{above}/set/a.wav",
        "http://127.0.0.1:9/a.wav",
        "hf://datasets/someone/speech@" + REVISION + "/a.wav",
        "a\0.wav",
    ],
)
def test_a_row_of_a_folder_names_no_file_outside_of_it(own, path):
    found, unusable = audio(path.format(above=own.parent), HubSet(name=str(own)))
    assert (found, unusable) == (b"", "names a file that is not the set's own")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/hostname",
        "https://example.invalid/a.wav",
        "hf://datasets/someone/private@" + REVISION + "/a.wav",
        "hf://datasets/someone/speech@main/a.wav",
        "hf://datasets/someone/speech@" + REVISION + "/../../private/a.wav",
    ],
)
def test_a_row_of_the_hub_names_no_file_but_the_set_s(path):
    assert audio(path, OF_THE_HUB) == (b"", "names a file that is not the set's own")


def test_a_row_of_the_hub_is_read_from_its_pinned_set(monkeypatch):
    asked = []
    monkeypatch.setattr("model.data.sources._read", lambda place: asked.append(place) or b"sound")
    path = f"zip://a.wav::hf://datasets/someone/speech@{REVISION}/data/a.zip"
    assert audio(path, OF_THE_HUB) == (b"sound", None)
    assert asked == [path]


def test_a_clip_that_is_too_large_is_not_read_whole(own):
    with (own / "a.wav").open("r+b") as file:
        file.truncate(_LARGEST_ROW + 1000)
    for given in ({"path": "a.wav"}, {"bytes": bytes(_LARGEST_ROW + 1)}):
        found, unusable = _audio(given, HubSet(name=str(own)))
        assert (found, unusable) == (b"", "has more than 17 MB of audio")


def shard_of(folder, count, size):
    """A shard of rows that share one clip of zeros, as a dictionary packs it."""
    place = folder / "data" / "de"
    place.mkdir(parents=True)
    texts = ("take_id", "source_id", "emotion", "language", "speaker_id", "corpus")
    row = {**dict.fromkeys(texts, "x"), "is_synthetic": True}
    row["audio"] = {"bytes": bytes(size), "path": "x"}
    table = pa.Table.from_pylist([row] * count, schema=kept_schema([], 16000))
    path = place / "train-00000-of-00001.parquet"
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=1 << 30)
    return FolderSet(path=str(folder))


_PEAK = """
import resource, sys
from model.recipe.sets import FolderSet
from model.data.sources import parts
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
next(parts(FolderSet(path=sys.argv[1]), "train")[0].rows())
print(peak() - before)
"""


def test_rows_that_share_a_clip_are_not_unpacked_together(tmp_path):
    shard_of(tmp_path, 64, 4 << 20)
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    # Not the 256 MiB of all rows; macOS counts in bytes.
    unit = 1 if sys.platform == "darwin" else 1 << 10
    assert int(done.stdout) * unit < 100 << 20


def test_a_row_that_is_too_large_is_a_sentence(tmp_path):
    data = shard_of(tmp_path, 1, _LARGEST_ROW + 1)
    with pytest.raises(InputError, match=r"row 0 unpacks to 17 MB, and at most 17 MB are read"):
        read(data)
