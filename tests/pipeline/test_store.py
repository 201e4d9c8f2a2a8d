"""The work store: whole or not at all, on a folder and on another file system."""

import errno
import os
import uuid

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError
from pipeline.store import Store, open_store, to_json

TABLE = pa.table({"id": ["a", "b"], "x": [1, 2]})
KEY = "ab" * 32


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    root = str(tmp_path) if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    return Store(root)


def test_what_was_written_is_read(store):
    assert not store.has("takes", KEY)
    store.write("takes", KEY, TABLE)
    assert store.has("takes", KEY)
    assert store.read("takes", KEY).equals(TABLE)
    assert store.read("takes", KEY, ["x"]).column_names == ["x"]


def test_what_is_not_there_is_not_read(store):
    with pytest.raises(FileNotFoundError):
        store.read("takes", KEY)


DAMAGES = {
    "emptied": lambda whole: b"",
    "torn": lambda whole: whole[:100],
    "blank": lambda whole: bytes(len(whole)),
    "blank within": lambda whole: whole[:4] + bytes(len(whole) - 12) + whole[-8:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_named_with_the_way_to_mend_it(store, damage):
    store.write("takes", KEY, TABLE)
    fs, root = fsspec.core.url_to_fs(store.root)
    (path,) = fs.find(root)
    fs.pipe_file(path, damage(fs.cat_file(path)))
    with pytest.raises(InputError, match=rf"--work: the file '.*/{KEY}.parquet' is damaged: remo"):
        store.read("takes", KEY)
    fs.rm(path)
    store.write("takes", KEY, TABLE)
    assert store.read("takes", KEY).equals(TABLE)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_a_file_that_cannot_be_read_now_is_not_called_damaged(tmp_path, monkeypatch, number):
    store = Store(str(tmp_path))
    store.write("takes", KEY, TABLE)

    def fails(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pipeline.store.pq.read_table", fails)
    with pytest.raises(OSError, match=os.strerror(number)):
        store.read("takes", KEY)


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    seen = []

    def fsync(descriptor):
        seen.append(list(tmp_path.rglob("*.parquet")))
        (left,) = tmp_path.rglob("*.tmp")
        assert os.fstat(descriptor).st_ino == left.stat().st_ino
        assert pq.read_table(left).equals(TABLE)

    monkeypatch.setattr("pipeline.store.os.fsync", fsync)
    Store(str(tmp_path)).write("takes", KEY, TABLE)
    assert seen == [[]]


def test_a_write_that_breaks_leaves_nothing(store, monkeypatch):
    def break_off(table, file, **options):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.store.pq.write_table", break_off)
    with pytest.raises(OSError, match="No space left"):
        store.write("takes", KEY, TABLE)
    assert not store.has("takes", KEY)
    fs, root = fsspec.core.url_to_fs(store.root)
    assert fs.find(root) == []


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        Store(str(tmp_path / name)).write("takes", KEY, TABLE)
    one, two = (next((tmp_path / name).rglob("*.parquet")) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("protocol", ["file", "local"])
def test_a_folder_by_its_url_is_a_folder(tmp_path, protocol):
    assert open_store(f"{protocol}://{tmp_path}/a b") == open_store(str(tmp_path / "a b"))


@pytest.mark.parametrize("place", ["nope://somewhere", "simplecache::nope://somewhere"])
def test_a_url_that_nobody_knows_is_a_sentence(place):
    with pytest.raises(InputError, match=f"--work: '{place}' can't be opened: Protocol not known"):
        open_store(place)


def test_a_url_whose_package_is_missing_names_it(monkeypatch):
    def lacks(protocol):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("pipeline.store.fsspec.get_filesystem_class", lacks)
    with pytest.raises(InputError, match=r"--work: 's3://x' can't be opened: Install s3fs"):
        open_store("s3://x")


def test_json_has_one_form():
    assert to_json({"b": 1.5, "a": "ü"}) == '{"a":"ü","b":1.5}'
