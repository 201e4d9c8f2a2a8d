"""Rows that are kept or rejected against their own scores, in sets whose hashes are right."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cards.card import write_card
from pipeline.dataset.credentials import write_credentials
from pipeline.dataset.manifest import write_manifest
from pipeline.verify.folder import verify_folder
from tests.tiny_set import marked, tiny_rows, write_set

Rows = list[tuple[str, dict[str, Any]]]
Row = dict[str, Any]
LENGTH = {"score": "duration_s", "min": 0.1}
FIRST = "train-angry-0.en.0"


def told(folder: Path) -> list[str]:
    return verify_folder(folder, listen=False).sentences()


def as_part(folder: Path) -> Path:
    """The set as one that was pulled: without its rejects."""
    build = json.loads((folder / "build.json").read_text())
    build["part"] = {"repository": "org/tones", "revision": "ab" * 20}
    (folder / "build.json").write_text(json.dumps(build))
    shutil.rmtree(folder / "rejects")
    return described(folder)


def described(folder: Path) -> Path:
    """The folder with card, ledger and manifest written over what lies in it."""
    write_card(folder)
    write_credentials(folder)
    write_manifest(folder)
    return folder


def scored(value: float | None) -> Callable[[Rows], Rows]:
    """The first row with another score."""

    def change(rows: Rows) -> Rows:
        split, row = rows[0]
        return [(split, {**row, "scores": {**row["scores"], "duration_s": value}}), *rows[1:]]

    return change


def rejects_of(folder: Path, change: Callable[[Row], Row]) -> Path:
    """The folder with its first rejected row of English changed."""
    [shard] = folder.glob("rejects/en/*.parquet")
    table = pq.read_table(shard)
    first, *others = table.to_pylist()
    pq.write_table(pa.Table.from_pylist([change(first), *others], table.schema), shard)
    return described(folder)


def untouched(folder: Path) -> Path:
    return folder


@pytest.mark.parametrize("kind", [untouched, as_part], ids=["whole", "part"])
@pytest.mark.parametrize(
    ("value", "shown"), [(0.05, "0.05"), (math.nan, "nan"), (None, "nan")], ids=str
)
def test_a_kept_row_that_a_gate_rejects(
    tmp_path: Path, kind: Callable[[Path], Path], value: float | None, shown: str
) -> None:
    folder = kind(write_set(tmp_path / "set [1]", scored(value)))
    assert told(folder) == [
        f"gates: {FIRST}: it is kept, and by its scores rejected by 'length' "
        f"(duration_s {shown}, threshold 0.1; failed: length)"
    ]


@pytest.mark.parametrize("kind", [untouched, as_part], ids=["whole", "part"])
def test_an_honest_set_is_right(tmp_path: Path, kind: Callable[[Path], Path]) -> None:
    folder = kind(write_set(tmp_path / "set"))
    findings = verify_folder(folder)
    assert findings.sentences() == []
    rows = "36 rows held against absolute limits" if kind is as_part else "42 rows decided anew"
    assert findings.checks["gates"].startswith(rows)


def test_limits_are_those_of_the_rows_language(tmp_path: Path) -> None:
    gate = {**LENGTH, "languages": {"de": {"min": 0.55}}}
    folder = as_part(write_set(tmp_path / "set", gates={"length": gate}))
    sentences = told(folder)
    assert len(sentences) == 6
    assert all("-0.de.0: it is kept" in one and "threshold 0.55" in one for one in sentences)


@pytest.mark.parametrize("kind", [untouched, as_part], ids=["whole", "part"])
@pytest.mark.parametrize(("at_least", "wrong"), [(1, 0), (2, 18)])
def test_so_many_votes_are_needed(
    tmp_path: Path, kind: Callable[[Path], Path], at_least: int, wrong: int
) -> None:
    votes = [{"score": "duration_s", "max": 10}, {"score": "phones_per_s", "max": 0.55}]
    gates = {"length": LENGTH, "votes": {"at_least": at_least, "votes": votes}}
    sentences = told(kind(write_set(tmp_path / "set", gates=gates)))
    assert len(sentences) == wrong
    assert all("'votes' (votes 1, threshold 2; failed: votes)" in one for one in sentences)


def test_quantiles_are_those_of_all_takes_and_of_a_part_nobody_knows(tmp_path: Path) -> None:
    gates = {"length": LENGTH, "long": {"score": "duration_s", "min_quantile": 0.75}}
    sentences = told(write_set(tmp_path / "set", scored(None), gates=gates, languages=["en"]))
    kept = [one for one in sentences if "it is kept" in one]
    assert len(kept) == 6
    assert sum("'long' (duration_s 0.5, threshold 0.6; failed: long)" in one for one in kept) == 5
    [part] = told(as_part(tmp_path / "set"))
    assert f"{FIRST}: it is kept, and by its scores rejected by 'length'" in part
    assert "failed: length, long" in part


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": "best_take"}, "it is rejected by 'best_take' (duration_s 0.05"),
        ({"reason": None}, "it is rejected by 'nothing'"),
        (
            {"score": 0.07},
            "by 'length' (duration_s 0.07, threshold 0.1; failed: length)",
        ),
        ({"threshold": math.nan}, "threshold nan; failed: length)"),
        ({"failed_gates": ["length", "other"]}, "failed: length, other)"),
        ({"failed_gates": None}, "failed: nothing)"),
    ],
)
def test_a_reason_that_the_scores_contradict(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    folder = rejects_of(write_set(tmp_path / "set"), lambda row: {**row, **fields})
    [sentence] = told(folder)
    assert sentence.startswith("gates: train-angry-0.en.1: ")
    assert said in sentence
    assert sentence.endswith(
        "and by its scores rejected by 'length' (duration_s 0.05, threshold 0.1; failed: length)"
    )


def test_a_row_that_was_thrown_out_though_nothing_rejects_it(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", selection={"takes_per_line": 2})
    rejects_of(folder, lambda row: {**row, "scores": dict.fromkeys(row["scores"], 0.5)})
    [sentence] = told(folder)
    assert sentence.endswith("failed: length), and by its scores kept")


def _copy(row: Row) -> Row:
    """A take whose audio is that of a kept row of its line."""
    [kept] = [one for _, one in tiny_rows() if one["take_id"] == FIRST]
    audio = {**row["audio"], "bytes": marked(kept["audio"]["bytes"], row["take_id"])}
    why = {"reason": "duplicate", "score_name": "copies", "failed_gates": ["duplicate"]}
    limits = {"score": 1.0, "threshold": 0.0}
    return {**row, "audio": audio, "scores": kept["scores"], **why, **limits}


def test_a_copy_is_told_by_its_samples(tmp_path: Path) -> None:
    folder = rejects_of(write_set(tmp_path / "set"), _copy)
    assert told(folder) == []
    alone = rejects_of(
        write_set(tmp_path / "alone", selection={"takes_per_line": 2}),
        lambda row: {**_copy(row), "audio": row["audio"]},
    )
    [sentence] = told(alone)
    assert "it is rejected by 'duplicate'" in sentence
    assert sentence.endswith("and by its scores kept")


def test_a_part_has_no_rejects(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    shutil.copytree(folder / "rejects", tmp_path / "rejects")
    as_part(folder)
    shutil.copytree(tmp_path / "rejects", folder / "rejects")
    assert told(described(folder)) == ["gates: rejects: a part of a set has none, and here are 6"]


WORDS = {"score": "text_language_probability", "min": 0.01}


def with_lines(folder: Path, spoken: float = 0.9, **fields: Any) -> Path:
    """The set with a judge of texts, its first row's text scored so, and a line not spoken."""

    def change(rows: Rows) -> Rows:
        for at, (_, row) in enumerate(rows):
            row["scores"] = {**row["scores"], WORDS["score"]: 0.9 if at else spoken}
        return rows

    judges = [{"engine": "language"}]
    write_set(folder, change, text_judges=judges, text_gates={"words": WORDS}, languages=["en"])
    limits = {"score_name": WORDS["score"], "score": 0.005, "threshold": 0.01}
    why = {"reason": "words", **limits, "failed_gates": ["words"]}
    line = {"source_id": "one", "language": "en", "emotion": "sad", **why, **fields}
    line["licence"] = "Apache-2.0"
    line.setdefault("scores", {WORDS["score"]: 0.005})
    failed = pa.array([line.pop("failed_gates")], pa.list_(pa.string()))
    table = pa.Table.from_pylist([line]).append_column("failed_gates", failed)
    pq.write_table(table, folder / "rejected_lines.parquet")
    return described(folder)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, None),
        ({"scores": {WORDS["score"]: 0.5}}, "and by its scores kept"),
        (
            {"threshold": 0.02},
            "by 'words' (text_language_probability 0.005, threshold 0.02",
        ),
        ({"reason": "other"}, "it is rejected by 'other'"),
        ({"failed_gates": []}, "failed: nothing)"),
        ({"scores": {"other": 0.005}}, "it can't be read"),
    ],
)
def test_a_line_that_was_not_spoken_though_no_text_gate_says_so(
    tmp_path: Path, fields: dict[str, Any], said: str | None
) -> None:
    sentences = told(with_lines(tmp_path / "set", **fields))
    assert [said is not None and said in one for one in sentences] == [True] * (said is not None)
    assert all(one.startswith("gates: rejected_lines.parquet") for one in sentences)


def test_a_line_that_was_not_spoken_and_names_no_licence(tmp_path: Path) -> None:
    folder = with_lines(tmp_path / "set")
    lines = pq.read_table(folder / "rejected_lines.parquet")
    pq.write_table(lines.drop_columns(["licence"]), folder / "rejected_lines.parquet")
    write_manifest(folder)
    assert told(folder) == ["rows: rejected_lines.parquet, licence: it is nothing in 1 rows"]


def test_a_take_of_a_line_that_a_text_gate_rejects(tmp_path: Path) -> None:
    [sentence] = told(with_lines(tmp_path / "set", spoken=0.005))
    assert sentence.startswith(f"gates: {FIRST}: it is kept, and by its scores rejected by ")
    assert "'text_gates.words' (text_language_probability 0.005, threshold 0.01" in sentence


def test_a_set_of_which_no_line_was_spoken(tmp_path: Path) -> None:
    folder = with_lines(tmp_path / "set")
    for part in ("data", "rejects"):
        shutil.rmtree(folder / part)
    assert told(described(folder)) == []


def test_copies_are_not_looked_for_among_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    monkeypatch.setattr("pipeline.dataset.candidates._copies", lambda _: looked.append(1) or {})
    told(with_lines(tmp_path / "set"))
    assert looked == [1], "once, for the takes"
