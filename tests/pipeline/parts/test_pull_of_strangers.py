"""A part of a set that somebody else made: damage is a sentence, and nothing fills the memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from flows.publish import Selection, run_pull
from pipeline.dataset.layout import MANIFEST
from pipeline.dataset.manifest import write_manifest
from pipeline.errors import InputError
from tests.tiny_set import marked, silence, tone

FIRST = "train-angry-0.de.0"
SHARD = "data/de/train-00000-of-00002.parquet"
Row = dict[str, Any]


def spoiled(folder: Path, change: Callable[[Row], object], name: str = SHARD) -> Path:
    """The folder, each row of a shard changed, and a manifest that knows it."""
    table = pq.read_table(folder / SHARD)
    rows = table.to_pylist()
    for row in rows:
        change(row)
    (folder / SHARD).unlink()
    (folder / name).parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), folder / name)
    try:
        write_manifest(folder)
    except TypeError:  # the index of a row without audio
        restate(folder, name)
    return folder


def restate(folder: Path, name: str) -> None:
    from pipeline.dataset.manifest import describe_file

    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = describe_file(folder / name)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def pulling(folder: Path, **wanted: Any) -> Path:
    out = folder.parent / "part"
    run_pull(str(folder), None, Selection(**wanted), out, Console(quiet=True))
    return out


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"emotion": "bored"}, "rows: emotion: it is 'bored' in 4 rows"),
        ({"emotion": None}, "rows: emotion: it is nothing in 4 rows"),
        ({"language": "xx"}, "rows: language: it is 'xx' in 4 rows"),
        ({"language": "fr"}, f"rows: {SHARD}, language: it is not that of its folder in 4 rows"),
        ({"licence": None}, "rows: licence: it is nothing"),
        ({"voice": None}, "rows: voice: it is nothing"),
        ({"speaker_id": None}, "rows: speaker_id: it is nothing"),
        ({"gender": None}, "rows: gender: it is nothing"),
        ({"gender": "x" * 999}, f"rows: gender: it is '{'x' * 80}'"),
        ({"source_id": None}, "rows: source_id: it is nothing"),
        ({"take_id": None}, "TAKE_ID is 'train-angry-0.de.0' and not 'None'"),
        ({"audio": None}, f"{FIRST}: its audio is empty"),
        ({"audio": {"bytes": b"x" * 50, "path": ""}}, f"{FIRST}: the clip can't be decoded"),
        ({"duration_s": 0.25}, f"{FIRST}: the clip has 8000 samples"),
        ({"is_synthetic": False}, f"{FIRST}: is_synthetic is not true"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_row_that_no_build_writes_is_a_sentence(my_tones: Path, fields: Row, said: str) -> None:
    folder = spoiled(my_tones, lambda row: row.update(fields))
    with pytest.raises(InputError, match="see who published this") as raised:
        pulling(folder)
    assert said in str(raised.value)
    assert str(raised.value).isprintable()
    assert {one.name for one in folder.parent.iterdir()} == {"tones"}


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("data/xx/train-00000-of-00002.parquet", {"language": "xx"}, "language: it is 'xx'"),
        ("data/de/extra-00000-of-00002.parquet", {"split": "extra"}, "split: it is 'extra'"),
    ],
    ids=["language", "split"],
)
def test_a_shard_of_a_place_that_is_none(my_tones: Path, name: str, fields: Row, said: str) -> None:
    folder = spoiled(my_tones, lambda row: row.update(fields), name)
    with pytest.raises(InputError, match=said):
        pulling(folder)


def test_a_text_that_is_none_is_a_sentence(my_tones: Path) -> None:
    table = pq.read_table(my_tones / SHARD)
    at = table.schema.get_field_index("text")
    broken = pa.array([b"\xff\xfe"] * len(table), pa.binary()).view(pa.string())
    pq.write_table(table.set_column(at, table.schema.field(at), broken), my_tones / SHARD)
    restate(my_tones, SHARD)
    with pytest.raises(
        InputError, match=r"'train-00000-of-00002\.parquet' can't be read \(.*utf-8"
    ):
        pulling(my_tones, languages=("de",))


def test_hours_of_silence_are_refused_by_what_their_row_says(my_tones: Path) -> None:
    clip = {"bytes": silence(700, FIRST), "path": ""}
    folder = spoiled(my_tones, lambda row: row.update(audio=clip, take_id=FIRST))
    with pytest.raises(InputError, match="the clip has 11200000 samples .* its row says 8000"):
        pulling(folder, languages=("de",))


def test_a_clip_that_is_longer_than_any_line_is_not_decoded(my_tones: Path) -> None:
    clip = {"bytes": silence(700, FIRST), "path": ""}
    folder = spoiled(my_tones, lambda row: row.update(audio=clip, duration_s=700.0))
    with pytest.raises(InputError, match="its duration_s is 700, and at most 600 are read"):
        pulling(folder, languages=("de",))


def test_a_sound_part_is_written(my_tones: Path) -> None:
    same = {"bytes": marked(tone(220, 0.5), FIRST), "path": ""}
    folder = spoiled(my_tones, lambda row: row["take_id"] == FIRST and row.update(audio=same))
    out = pulling(folder, languages=("de",))
    assert pq.read_table(out / SHARD)["audio"].to_pylist()[0] == same
