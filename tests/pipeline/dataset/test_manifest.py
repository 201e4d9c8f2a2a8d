"""What a manifest lists of a folder, and what it says when the folder or the manifest is bad."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline.dataset.layout import is_of_a_set
from pipeline.dataset.manifest import (
    BadManifest,
    BadShard,
    describe_file,
    keep_others,
    manifest_text,
    parse_manifest,
    read_manifest,
    write_manifest,
)

SHARD = "data/en/train-00000-of-00001.parquet"


@pytest.fixture
def pool() -> Iterator[pa.MemoryPool]:
    """Arrow's memory, counted from here."""
    before = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(before)
    pa.set_memory_pool(counted)
    yield counted
    pa.set_memory_pool(before)


def one_word(path: Path, word: str, rows: int) -> Path:
    """A shard whose rows share a word, which lies in it once."""
    words = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([word]))
    table = pa.table({"emotion": words, "duration_s": [1.0] * rows})
    pq.write_table(table, path, compression="zstd", store_schema=False)
    return path


def test_a_long_word_that_all_rows_share_is_not_unpacked(
    tmp_path: Path, pool: pa.MemoryPool
) -> None:
    shard = one_word(tmp_path / "x.parquet", "a" * 20_000, 4000)
    assert shard.stat().st_size < 1000
    before = pool.max_memory()
    with pytest.raises(BadShard, match="an emotion in it has 20000 letters"):
        describe_file(shard)
    assert pool.max_memory() - before < 5_000_000, "it would be 80 MB"


def test_more_emotions_than_words_for_them(tmp_path: Path) -> None:
    emotions = [str(number) for number in range(101)]
    pq.write_table(
        pa.table({"emotion": emotions, "duration_s": [1.0] * 101}), tmp_path / "x.parquet"
    )
    with pytest.raises(BadShard, match="more than 100 emotions"):
        describe_file(tmp_path / "x.parquet")


def test_more_rows_than_a_shard_has(tmp_path: Path) -> None:
    shard = one_word(tmp_path / "x.parquet", "happy", (1 << 22) + 1)
    with pytest.raises(BadShard, match="it has 4194305 rows"):
        describe_file(shard)


def test_a_shard_that_holds_too_much_is_named(tmp_path: Path) -> None:
    shard = one_word(tmp_path / "x.parquet", "a" * 101, 1)
    with pytest.raises(BadShard, match=r"'x\.parquet': an emotion in it has 101 letters"):
        manifest_text({}, tmp_path, [shard])


def test_a_shards_numbers_are_those_of_its_whole_columns(tmp_path: Path) -> None:
    emotions = ["sad", "happy", None, "sad"] * 700
    seconds = [number / 16_000 for number in range(8000, 8000 + len(emotions))]
    table = pa.table({"emotion": emotions, "duration_s": seconds})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=256)
    found = describe_file(tmp_path / "x.parquet")
    assert found["seconds"] == round(pc.sum(table["duration_s"]).as_py(), 3)
    assert {name: one["rows"] for name, one in found["emotions"].items()} == {
        "happy": 700,
        "sad": 1400,
        None: 700,
    }
    assert list(found["emotions"]) == ["happy", "sad", None]
    assert found["emotions"]["happy"]["seconds"] == round(sum(seconds[1::4]), 3)


@pytest.mark.parametrize(
    "columns",
    [
        {"emotion": ["sad"], "duration_s": ["long"]},
        {"emotion": [{"word": "sad"}], "duration_s": [1.0]},
        {"emotion": [3], "duration_s": [1.0]},
        {"duration_s": [1.0]},
    ],
)
def test_a_table_of_other_columns_has_rows_and_no_speech(
    tmp_path: Path, columns: dict[str, list[object]]
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    assert set(describe_file(tmp_path / "x.parquet")) == {"sha256", "bytes", "rows"}


@pytest.mark.parametrize(
    "name",
    [
        SHARD,
        "rejects/zh-CN/rejects-00011-of-00012.parquet",
        "figures/counts.png",
        "README.md",
        "recipe.yaml",
        "build.json",
        "provenance.json",
        "report.html",
        "rows.parquet",
        "failures.parquet",
        "rejected_lines.parquet",
    ],
)
def test_what_a_build_writes_makes_the_set(name: str) -> None:
    assert is_of_a_set(name)


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".git/config",
        ".gitattributes",
        "CHANGES.md",
        "notes.txt",
        "README.md~",
        "data/.env",
        "data/en/notes.txt",
        "data/en/.train-00000-of-00001.parquet",
        "data/en/old.parquet",
        "data/en/more/train-00000-of-00001.parquet",
        "figures/.hidden.png",
        "figures/secret.pdf",
        "figures/my-plot.png",
        "my/recipe.yaml",
        "recipe.yaml\n",
    ],
)
def test_nothing_else_does(name: str) -> None:
    assert not is_of_a_set(name)


def test_a_figure_of_a_person_s_own_outlives_a_build(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for name in ("counts.png", "my-plot.png"):
        (old / "figures").mkdir(parents=True, exist_ok=True)
        (old / "figures" / name).write_text("old")
    new.mkdir()
    keep_others(old, new)
    assert [path.name for path in (new / "figures").iterdir()] == ["my-plot.png"]


def test_what_else_lies_in_the_folder_stays_out_of_the_manifest(my_tones: Path) -> None:
    before = set(read_manifest(my_tones).files)
    others = (".env", ".git/config", ".cache/x.json", ".gitattributes", "CHANGES.md", "notes.txt")
    for name in (*others, "data/en/.hidden", "figures/.DS_Store", "figures/counts.png"):
        (my_tones / name).parent.mkdir(exist_ok=True)
        (my_tones / name).write_text("mine")
    write_manifest(my_tones)
    assert set(read_manifest(my_tones).files) == {*before, "figures/counts.png"}


def manifest(**entry: str) -> str:
    """The text of a manifest of one shard, its fields as JSON."""
    fields = {"sha256": json.dumps("ab" * 32), "bytes": "1", **entry}
    inner = ", ".join(f'"{name}": {value}' for name, value in fields.items())
    return (
        f'{{"m5ser": "1", "recipe": "r", "fingerprint": "f", "files": {{"{SHARD}": {{{inner}}}}}}}'
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seconds", "Infinity"),
        ("seconds", "NaN"),
        ("seconds", "1e300"),
        ("emotions", '{"sad": {"rows": 1, "seconds": Infinity}}'),
        ("emotions", '{"sad": {"rows": 1, "seconds": NaN}}'),
        ("emotions", '{"sad": {"rows": 1, "seconds": 1e308}}'),
        ("emotions", f'{{"sad": {{"rows": {10**400}, "seconds": 1}}}}'),
        ("bytes", str(10**400)),
        ("rows", "-1"),
    ],
)
def test_numbers_that_nothing_can_be_counted_with_are_refused(field: str, value: str) -> None:
    assert parse_manifest(manifest(seconds="1.5", rows="3")).files[SHARD].seconds == 1.5
    with pytest.raises(BadManifest, match=field):
        parse_manifest(manifest(**{field: value}))


@pytest.mark.parametrize(
    "text",
    [
        manifest().replace(SHARD, "x\\u001b[2Jy"),
        manifest().replace('"r"', '"\\u001b[2J"'),
        manifest(emotions='{"\\u001b[2J": {"rows": 1, "seconds": 1}}'),
        manifest(emotions=f'{{"{"a" * 101}": {{"rows": 1, "seconds": 1}}}}'),
    ],
)
def test_no_name_acts_on_a_terminal_or_fills_it(text: str) -> None:
    with pytest.raises(BadManifest) as raised:
        parse_manifest(text)
    assert str(raised.value).isprintable()
