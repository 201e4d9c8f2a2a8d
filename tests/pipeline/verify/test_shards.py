"""A shard whose columns or clips are something else than they seem."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from pipeline.cards.describe import describe
from pipeline.dataset.manifest import write_manifest
from pipeline.verify.folder import verify_folder
from pipeline.verify.shards import clip_fault, wanted_clip
from tests.tiny_set import RATE, marked, tiny_recipe, tiny_rows, tone

SHARD = "data/en/train-00000-of-00002.parquet"


def fault_of(audio: bytes, **fields: object) -> str:
    row = {**tiny_rows()[0][1], "audio": {"bytes": audio, "path": "x"}, **fields}
    return clip_fault(row, wanted_clip(tiny_recipe())) or ""


def packed(samples: np.ndarray, kind: str = "FLAC") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=kind)
    return file.getvalue()


def test_a_clip_that_is_no_flac() -> None:
    assert fault_of(packed(np.zeros(RATE // 2), "WAV")).startswith("the clip is no FLAC: ")


def test_a_clip_in_stereo() -> None:
    stereo = packed(np.zeros((RATE // 2, 2)))
    assert fault_of(stereo).startswith("the clip has 8000 samples at 16000 Hz in 2 channels")


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_what_is_left_of_a_clip(share: float) -> None:
    whole = marked(tone(200, 0.5), "train-angry-0.en.0")
    assert fault_of(whole) == ""
    assert fault_of(whole[: round(len(whole) * share)]).startswith("the clip can't be decoded")


def test_features_for_the_hub_that_are_not_those_of_the_columns(my_tones: Path) -> None:
    table = pq.read_table(my_tones / SHARD)
    metadata = {**table.schema.metadata, b"huggingface": b'{"info": {"features": {}}}'}
    pq.write_table(table.replace_schema_metadata(metadata), my_tones / SHARD)
    write_manifest(my_tones)
    told = verify_folder(my_tones, listen=False).sentences()
    assert told == [f"schema: {SHARD}: its features for the Hub are not those of its columns"]


def test_a_row_that_says_another_split_than_its_file(my_tones: Path) -> None:
    table = pq.read_table(my_tones / SHARD)
    at = table.schema.get_field_index("split")
    moved = pa.array(["test", *table["split"].to_pylist()[1:]], table.schema.field(at).type)
    pq.write_table(table.set_column(at, table.schema.field(at), moved), my_tones / SHARD)
    describe(my_tones)
    told = verify_folder(my_tones, listen=False).sentences()
    assert f"rows: {SHARD}, split: it is not that of its file in 1 rows" in told
