"""Shards: names, sizes, bytes, and the features that `datasets` finds in them."""

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.audio import encode_flac
from pipeline.dataset.shards import ShardWriter, kept_schema, rejects_schema, write_failures
from pipeline.records import FailedRow

RATE = 16_000


def row(number, **extra):
    audio = encode_flac(np.full(160, number / 1000, "f4"), RATE)
    return {
        "take_id": f"t{number}",
        "emotion": "happy",
        "emotion_id": 3,
        "audio": {"bytes": audio, "path": f"t{number}.flac"},
        "is_synthetic": True,
        "scores": {"cer": float(number)},
        **extra,
    }


def write(folder, count, shard_rows, schema=None):
    schema = schema or kept_schema(["cer"], RATE)
    with ShardWriter(folder / "train", schema, count, shard_rows) as writer:
        for number in range(count):
            writer.write(row(number))
    return sorted(folder.glob("*.parquet"))


@pytest.mark.parametrize(
    ("count", "shard_rows", "sizes"),
    [(5, 2, [2, 2, 1]), (4, 2, [2, 2]), (1, 100, [1]), (600, 500, [500, 100])],
)
def test_rows_are_cut_into_numbered_shards_in_order(tmp_path, count, shard_rows, sizes):
    paths = write(tmp_path, count, shard_rows)
    total = f"{len(sizes):05d}"
    assert [path.name for path in paths] == [
        f"train-{number:05d}-of-{total}.parquet" for number in range(len(sizes))
    ]
    tables = [pq.read_table(path) for path in paths]
    assert [table.num_rows for table in tables] == sizes
    ids = [take for table in tables for take in table["take_id"].to_pylist()]
    assert ids == [f"t{number}" for number in range(count)]


def test_the_same_rows_give_the_same_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = (write(tmp_path / name, 3, 10)[0].read_bytes() for name in "ab")
    assert one == two


def test_datasets_finds_the_audio_and_the_class_labels(tmp_path):
    path = write(tmp_path, 3, 10)[0]
    loaded = datasets.load_dataset(
        "parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded.features["audio"] == datasets.Audio(sampling_rate=RATE)
    assert loaded.features["emotion_id"].int2str(3) == "happy"
    assert loaded.features["scores"]["cer"] == datasets.Value("float64")


def test_our_features_are_those_that_datasets_itself_would_write(tmp_path):
    for schema in (kept_schema(["cer"], RATE), rejects_schema(["cer"], RATE)):
        features = datasets.Features.from_arrow_schema(schema)
        assert set(features) == set(schema.names)
        assert features.arrow_schema.field("audio").type == schema.field("audio").type


def test_flac_in_a_shard_is_stored_as_it_is(tmp_path):
    path = write(tmp_path, 2, 10)[0]
    metadata = pq.ParquetFile(path).metadata.row_group(0)
    columns = [metadata.column(index) for index in range(metadata.num_columns)]
    audio = next(column for column in columns if column.path_in_schema == "audio.bytes")
    assert audio.compression == "UNCOMPRESSED"
    assert pq.read_table(path)["audio"][0].as_py()["bytes"] == row(0)["audio"]["bytes"]


def test_a_broken_write_does_not_close_as_if_it_were_whole(tmp_path):
    def write_half():
        with ShardWriter(tmp_path / "train", kept_schema(["cer"], RATE), 2, 10) as writer:
            writer.write(row(0))
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write_half()
    assert list(tmp_path.glob("*.parquet")) == []


def test_failures_are_written_also_when_there_are_none(tmp_path):
    write_failures(tmp_path / "none.parquet", [])
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0
    write_failures(tmp_path / "one.parquet", [FailedRow("a", None, "de", "judge", "why")])
    assert pq.read_table(tmp_path / "one.parquet").to_pylist() == [
        {"source_id": "a", "take_id": None, "language": "de", "stage": "judge", "error": "why"}
    ]
