from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.cards.describe import describe
from pipeline.cards.own_section import OWN_START
from pipeline.dataset.layout import MANIFEST
from pipeline.dataset.manifest import manifest_text, write_manifest
from pipeline.verify.findings import Findings
from pipeline.verify.folder import verify_folder
from tests.tiny_set import marked, tone, write_set

Rows = list[tuple[str, dict[str, Any]]]


def found(findings: Findings) -> set[str]:
    return {problem.check for problem in findings.problems}


def changed(folder: Path, **fields: Any) -> Callable[[Rows], Rows]:
    """The first row with other fields."""
    return lambda rows: [(rows[0][0], {**rows[0][1], **fields}), *rows[1:]]


def renamed(row: dict[str, Any], take_id: str) -> dict[str, Any]:
    """The row as another take, which its clip says too."""
    audio = {**row["audio"], "bytes": marked(row["audio"]["bytes"], take_id)}
    return {**row, "take_id": take_id, "audio": audio}


def test_a_sound_set_has_no_problems(tones: Path) -> None:
    findings = verify_folder(tones)
    assert findings.sentences() == []
    assert findings.checks["clips"] == "42 clips decoded"
    assert findings.checks["licence"] == "Apache-2.0"
    assert list(findings.checks) == [
        "files", "schema", "clips", "ids", "splits", "gates", "licence", "origin", "index", "card",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"duration_s": 0.4}, "has 8000 samples at 16000 Hz in 1 channels, and its row says 6400"),
        ({"audio": {"bytes": b"fLaC nothing", "path": "x"}}, "can't be decoded"),
        ({"duration_s": None}, "its duration_s is empty"),
        ({"audio": {"bytes": tone(200, 0.5)[:-300], "path": "x"}}, "clip"),
        ({"is_synthetic": False}, "is_synthetic is not true"),
        ({"audio": {"bytes": tone(240, 0.5), "path": "x"}}, "that it is this take"),
        ({"audio": {"bytes": marked(tone(240, 0.5), "other"), "path": "x"}}, "this take"),
    ],
)
def test_a_clip_that_is_not_what_its_row_says(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    folder = write_set(tmp_path / "set", changed(tmp_path, **fields), languages=["en"])
    problems = [one for one in verify_folder(folder).problems if one.check == "clips"]
    assert [said in problem.what for problem in problems] == [True]
    assert "train-angry-0.en.0" in problems[0].where


def test_ids_that_are_there_twice_and_splits_that_leak(tmp_path: Path) -> None:
    def change(rows: Rows) -> Rows:
        tested = [row for split, row in rows if split == "test"]
        leak = {**renamed(tested[0], "other"), "split": "train"}
        text = {**renamed(tested[1], "text"), "source_id": "new", "speaker_id": "train-speaker"}
        text |= {"source_text": rows[0][1]["source_text"].upper(), "voice": "train-voice"}
        return [*rows, rows[0], ("train", leak), ("test", text)]

    both = {"takes_per_line": 2}
    folder = write_set(tmp_path / "set", change, languages=["en"], selection=both)
    findings = verify_folder(folder)
    assert found(findings) == {"ids", "splits", "gates"}
    assert "it is kept, and by its scores rejected by 'duplicate'" in findings.sentences()[-1]
    told = "\n".join(findings.sentences())
    assert "ids: train-angry-0.en.0: 2 rows have this id" in told
    assert "splits: source_id test-angry-0: it is in test, train" in told
    assert "splits: speaker_id train-speaker: it is in test, train" in told
    assert "SOMEBODY FORGOT THE KITCHEN 0 AGAIN" in told


def test_nearly_equal_texts_on_two_sides(tmp_path: Path) -> None:
    near = "Somebody forgot the kitchen 0 again!!"

    def change(rows: Rows) -> Rows:
        return [
            (split, {**row, "source_text": near} if row["source_id"] == "test-sad-1" else row)
            for split, row in rows
        ]

    findings = verify_folder(write_set(tmp_path / "set", change, languages=["en"]))
    assert found(findings) == {"splits"}


def test_what_is_said_on_two_sides_though_the_english_sentences_differ(tmp_path: Path) -> None:
    said = "Jemand hat es vergessen."

    def change(rows: Rows) -> Rows:
        ids = ("train-sad-1.de.0", "test-sad-1.de.0")
        return [(at, {**row, "text": said} if row["take_id"] in ids else row) for at, row in rows]

    [sentence] = verify_folder(write_set(tmp_path / "set", change)).sentences()
    assert sentence == f"splits: text '{said}': it is in test, and in train as '{said}'"


def test_a_card_whose_numbers_are_not_the_datas(my_tones: Path) -> None:
    card = (my_tones / "README.md").read_text(encoding="utf-8")
    (my_tones / "README.md").write_text(card.replace("36 takes", "63 takes", 1), encoding="utf-8")
    [problem] = verify_folder(my_tones).problems
    assert problem.check == "card"
    assert "36 takes" in problem.what


def test_what_people_write_in_their_section_is_theirs(my_tones: Path) -> None:
    card = (my_tones / "README.md").read_text(encoding="utf-8")
    own = card.replace(OWN_START, f"{OWN_START}\n\nListen to it first.\n")
    (my_tones / "README.md").write_text(own, encoding="utf-8")
    assert not verify_folder(my_tones).problems


def test_a_licence_that_is_laxer_than_the_rows(my_tones: Path) -> None:
    for shard in my_tones.glob("data/*/*.parquet"):
        _rewrite(shard, "licence", "CC-BY-NC-4.0")
    write_manifest(my_tones)
    findings = verify_folder(my_tones)
    [problem] = [one for one in findings.problems if one.check == "licence"]
    assert problem.what == "it claims 'apache-2.0', and 'cc-by-nc-4.0' is right"


def test_a_claim_that_the_components_do_not_allow(my_tones: Path) -> None:
    recipe = yaml.safe_load((my_tones / "recipe.yaml").read_text())
    (my_tones / "recipe.yaml").write_text(yaml.safe_dump({**recipe, "licence": "MIT"}))
    write_manifest(my_tones)
    [problem] = verify_folder(my_tones).problems
    assert "'MIT' is claimed" in problem.what


def test_a_column_of_another_type_and_one_too_many(my_tones: Path) -> None:
    first, second, *_ = sorted(my_tones.glob("data/*/*.parquet"))
    table = pq.read_table(first)
    pq.write_table(table.drop_columns(["scores"]), first)
    pq.write_table(pq.read_table(second).append_column("more", pa.array([1] * 2)), second)
    write_manifest(my_tones)
    told = "\n".join(verify_folder(my_tones).sentences())
    assert "the column 'scores' is missing" in told
    assert "the column 'more' is none of a set's" in told


def test_a_shard_that_is_no_parquet(my_tones: Path) -> None:
    shard = next(iter(sorted(my_tones.glob("data/*/*.parquet"))))
    shard.write_bytes(os.urandom(1000))
    manifest = json.loads((my_tones / MANIFEST).read_text())
    name = shard.relative_to(my_tones).as_posix()
    plain = json.loads(manifest_text({}, my_tones, [my_tones / "README.md"]))["files"]["README.md"]
    manifest["files"][name] = plain
    (my_tones / MANIFEST).write_text(json.dumps(manifest))
    assert {"files", "schema"} <= found(verify_folder(my_tones))


def test_a_row_group_that_unpacks_to_too_much_is_not_read(
    my_tones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.verify.shards._LARGEST_GROUP", 1 << 10)
    findings = verify_folder(my_tones)
    assert "a row group unpacks to more" in findings.sentences()[0]
    assert findings.checks["clips"] == "0 clips decoded"


@pytest.mark.parametrize(
    "recipe", ["", "- a\n- b\n", "a: &x [*x, *x]\n", "name: tones\nunknown: 1\n", "\x00"]
)
def test_a_recipe_that_is_none_is_said(my_tones: Path, recipe: str) -> None:
    (my_tones / "recipe.yaml").write_text(recipe)
    write_manifest(my_tones)
    assert found(verify_folder(my_tones)) == {"recipe"}


def test_facts_of_a_build_that_are_none(my_tones: Path) -> None:
    facts = json.loads((my_tones / "build.json").read_text())
    (my_tones / "build.json").write_text(json.dumps({**facts, "read": 3}))
    write_manifest(my_tones)
    findings = verify_folder(my_tones)
    assert found(findings) == {"build"}
    assert "build.json: read: Input should be an object" in findings.sentences()[0]


@pytest.mark.parametrize("content", ["[]", "{", "[" * 100_000, '{"m5ser": 1}'])
def test_facts_of_a_build_in_any_form_are_said(my_tones: Path, content: str) -> None:
    (my_tones / "build.json").write_text(content)
    assert "build" in found(verify_folder(my_tones))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("emotion", "<script>", "rows: emotion: it is '<script>' in"),
        ("language", "xx", "rows: language: it is 'xx' in"),
        ("licence", None, "rows: licence: it is nothing in"),
        ("take_id", None, "rows: take_id: it is nothing in"),
    ],
)
def test_rows_that_say_what_no_set_says(
    my_tones: Path, column: str, value: str | None, said: str
) -> None:
    shard = sorted(my_tones.glob("data/en/*.parquet"))[0]
    _rewrite(shard, column, value)
    write_manifest(my_tones)
    assert any(one.startswith(said) for one in verify_folder(my_tones).sentences())


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("language", "fr", "language: it is not that of its folder in 4 rows"),
        ("emotion_id", 6, "emotion_id: it is not its emotion's in 4 rows"),
        ("emotion_id", None, "emotion_id: it is not its emotion's in 4 rows"),
    ],
)
@pytest.mark.parametrize(
    "part", ["data/en/train-00000-of-00002", "rejects/en/rejects-00000-of-00001"]
)
def test_a_label_that_is_another_than_its_row_or_folder_says(
    tmp_path: Path, column: str, value: Any, said: str, part: str
) -> None:
    """Though card and manifest were written over them."""
    folder = write_set(tmp_path / "set [1]")
    assert verify_folder(folder, listen=False).sentences() == []
    shard = folder / f"{part}.parquet"
    _rewrite(shard, column, value)
    describe(folder)
    said = said.replace("4", str(pq.read_metadata(shard).num_rows))
    assert f"rows: {part}.parquet, {said}" in verify_folder(folder, listen=False).sentences()


def _rewrite(shard: Path, column: str, value: Any) -> None:
    table = pq.read_table(shard)
    at = table.schema.get_field_index(column)
    values = pa.array([value] * len(table), table.schema.field(at).type)
    pq.write_table(table.set_column(at, column, values), shard)
