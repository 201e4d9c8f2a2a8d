"""The work store: whole or not at all, on a folder and on another file system."""

import uuid

import fsspec
import pyarrow as pa
import pytest

from pipeline.errors import InputError
from pipeline.work.store import Store, open_store, to_json

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


def test_a_write_that_breaks_leaves_nothing(store, monkeypatch):
    def break_off(table, file, **options):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.work.store.pq.write_table", break_off)
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


@pytest.mark.parametrize("place", ["nope://somewhere", "simplecache::nope://somewhere"])
def test_a_url_that_nobody_knows_is_a_sentence(place):
    with pytest.raises(InputError, match=f"--work: '{place}' can't be opened: Protocol not known"):
        open_store(place)


def test_a_url_whose_package_is_missing_names_it(monkeypatch):
    def lacks(protocol):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("pipeline.work.store.fsspec.get_filesystem_class", lacks)
    with pytest.raises(InputError, match=r"--work: 's3://x' can't be opened: Install s3fs"):
        open_store("s3://x")


def test_json_has_one_form():
    assert to_json({"b": 1.5, "a": "ü"}) == '{"a":"ü","b":1.5}'
