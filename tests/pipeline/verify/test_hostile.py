"""Sets of strangers, who may mean ill: nothing fills the memory, and nothing acts on a terminal."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset.layout import MANIFEST
from pipeline.engine import file_sha256
from pipeline.errors import InputError
from pipeline.recipe_file import parse_recipe
from pipeline.verify.derived import check_row_index
from pipeline.verify.findings import Findings
from pipeline.verify.folder import verify_folder
from pipeline.verify.remake import check_remade
from pipeline.verify.shards import check_clips
from tests.tiny_set import silence, tiny_recipe, tone, write_set_with

Rows = list[tuple[str, dict[str, Any]]]
FIRST = "train-angry-0.en.0"
FIRST_SHARD = "data/en/train-00000-of-00002.parquet"


def test_a_clip_of_silence_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    audio = {"bytes": silence(600, FIRST), "path": "x"}
    folder = write_set_with(tmp_path / "set", audio=audio, duration_s=600.0)
    findings = Findings()
    tracemalloc.start()
    try:
        check_clips(folder, tiny_recipe(), [folder / FIRST_SHARD], findings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (findings.problems, findings.checks["clips"]) == ([], "4 clips decoded")
    assert peak < 3_000_000, "its samples are 19 MB"


@pytest.mark.parametrize("length_s", [1e308, -1.0, float("nan"), float("inf")])
def test_a_length_that_is_none(tmp_path: Path, length_s: float) -> None:
    folder = write_set_with(tmp_path / "set", duration_s=length_s)
    findings = Findings()
    check_clips(folder, tiny_recipe(), [folder / FIRST_SHARD], findings)
    [problem] = findings.problems
    assert problem.what == f"its duration_s is {length_s} at 16000 Hz"


def test_a_row_index_with_a_text_that_all_rows_share(my_tones: Path) -> None:
    rows, word = 4000, "a" * 20_000
    ids = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([word]))
    hashes = pa.array([bytes(32)] * rows, pa.binary(32))
    table = pa.table({"take_id": ids, "language": ["en"] * rows, "sha256": hashes})
    schema = pa.schema({"take_id": pa.string(), "language": pa.string(), "sha256": pa.binary(32)})
    with pq.ParquetWriter(my_tones / "rows.parquet", schema, compression="zstd") as writer:
        writer.write_table(table.cast(schema))
    findings, before = Findings(), pa.default_memory_pool()
    counted = pa.proxy_memory_pool(before)
    pa.set_memory_pool(counted)
    try:
        check_row_index(my_tones, findings)
    finally:
        pa.set_memory_pool(before)
    assert counted.max_memory() < 5_000_000, "it would be 80 MB"
    [problem] = findings.problems
    assert "in 4000 rows" in problem.what


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"language": ["en"]}, "the column 'take_id' is missing"),
        ({"take_id": [1]}, "the column 'take_id' is int64 and not string"),
    ],
)
def test_a_row_index_of_other_columns_is_not_read(
    my_tones: Path, table: dict[str, list[object]], said: str
) -> None:
    pq.write_table(pa.table(table), my_tones / "rows.parquet")
    findings = Findings()
    check_row_index(my_tones, findings)
    assert findings.sentences() == [f"index: rows.parquet: {said}"]


def test_a_shard_with_a_long_emotion_is_said(my_tones: Path) -> None:
    table = pq.read_table(my_tones / FIRST_SHARD)
    at = table.schema.get_field_index("emotion")
    table = table.set_column(at, "emotion", pa.array(["a" * 20_000] * len(table)))
    pq.write_table(table, my_tones / FIRST_SHARD)
    restate(my_tones, FIRST_SHARD)
    told = verify_folder(my_tones, listen=False).sentences()
    assert f"files: {FIRST_SHARD}: an emotion in it has 20000 letters" in told


def restate(folder: Path, name: str) -> None:
    """The hash and size of a changed file in the manifest."""

    manifest = json.loads((folder / MANIFEST).read_text())
    entry = {"sha256": file_sha256(folder / name), "bytes": (folder / name).stat().st_size}
    manifest["files"][name] = entry
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("licence", "said"),
    [
        ("*a6", "no licence by its name"),
        ("[mit, apache-2.0]", "no licence by its name"),
        ("!!int ''", "no licence by its name"),
        (f"'{'x' * 10_000}'", f"'{'x' * 80}'"),
        ("'a\\u001b[2Jb'", "'a\\u001b[2Jb'"),
        ('"a\\u001b[2Jb"', "'a [2Jb'"),
    ],
    ids=["aliases", "list", "tag", "long", "text", "escape"],
)
def test_a_licence_that_is_no_name_is_said_shortly(my_tones: Path, licence: str, said: str) -> None:
    """The first unrolls to half a million words."""
    unrolled = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    unrolled += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 7)]
    card = (my_tones / "README.md").read_text(encoding="utf-8")
    start = "\n".join(["---", *(unrolled if licence == "*a6" else [])])
    card = card.replace("license: apache-2.0", f"license: {licence}").replace("---", start, 1)
    (my_tones / "README.md").write_text(card, encoding="utf-8")
    problems = verify_folder(my_tones, listen=False).problems
    [problem] = [one for one in problems if one.check == "licence"]
    assert problem.what == f"it claims {said}, and 'apache-2.0' is right"
    assert all(len(one.what) <= 300 for one in problems)


def test_lines_at_the_end_of_a_card_are_named(my_tones: Path) -> None:
    card = (my_tones / "README.md").read_text(encoding="utf-8")
    (my_tones / "README.md").write_text(f"{card}\nMine.\n", encoding="utf-8")
    [problem] = verify_folder(my_tones, listen=False).problems
    assert problem.where == f"README.md, line {card.count(chr(10)) + 2}"
    assert problem.what.endswith(": nothing more")


def test_a_card_that_ends_too_early_is_told_its_next_line(my_tones: Path) -> None:
    card = (my_tones / "README.md").read_text(encoding="utf-8")
    *kept, last, _ = card.split("\n")
    (my_tones / "README.md").write_text("\n".join(kept), encoding="utf-8")
    [problem] = verify_folder(my_tones, listen=False).problems
    assert problem.where == f"README.md, line {len(kept) + 1}"
    assert problem.what.endswith(f": '{last.strip()[:80]}'")


def test_what_a_problem_quotes_is_plain() -> None:
    findings = Findings()
    findings.report("ids", "take\x1b]0;owned\x07\x1b[2J\u202e", "it is in\nand\x9b in " + "x" * 999)
    [sentence] = findings.sentences()
    assert sentence.isprintable()
    assert sentence.startswith("ids: take ]0;owned [2J: it is in and in xxx")
    assert len(findings.problems[0].what) == 300


def test_a_file_whose_name_is_no_text_can_be_printed(my_tones: Path) -> None:
    with open(os.path.join(os.fsencode(my_tones), b"a\xff\x1b[2J"), "wb"):  # noqa: PTH118, PTH123
        pass
    [sentence] = verify_folder(my_tones, listen=False).sentences()
    assert sentence.encode() == (
        f"files: a? [2J: {MANIFEST} does not have it: move it out of the folder".encode()
    )


def test_a_pipe_whose_name_has_escape_sequences(my_tones: Path) -> None:
    os.mkfifo(my_tones / "a\x1b[2J")
    with pytest.raises(InputError) as raised:
        verify_folder(my_tones)
    assert str(raised.value).isprintable()


def test_a_manifest_that_adopted_a_file_is_said(my_tones: Path) -> None:
    (my_tones / ".env").write_text("HF_TOKEN=hf_secret\n")
    restate(my_tones, ".env")
    [sentence] = verify_folder(my_tones, listen=False).sentences()
    assert sentence.startswith("files: .env: it is no file of a set: move it out of the folder")


def test_every_error_of_a_recipe_is_a_problem_of_its_own(my_tones: Path) -> None:
    (my_tones / "recipe.yaml").write_text("name: tones\nunknown: 1\nmore: 2\n")
    restate(my_tones, "recipe.yaml")
    problems = verify_folder(my_tones, listen=False).problems
    assert len(problems) > 2
    assert {one.check for one in problems} == {"recipe"}


@pytest.mark.parametrize("name", ["build.json", FIRST_SHARD])
def test_what_is_unreadable_is_said_and_not_made_again(my_tones: Path, name: str) -> None:
    (my_tones / name).write_text("{}")
    recipe = parse_recipe((my_tones / "recipe.yaml").read_text(encoding="utf-8"))
    findings = verify_folder(my_tones)
    before = findings.sentences()
    check_remade(my_tones, recipe, 1, findings)
    assert findings.sentences() == before


def test_a_clip_that_is_no_flac_is_a_problem_of_the_rebuild(
    my_tones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pq.read_table(my_tones / FIRST_SHARD)
    at = table.schema.get_field_index("audio")
    audio = [{"bytes": b"RIFF", "path": "x"}] * len(table)
    kind = table.schema.field(at).type
    pq.write_table(table.set_column(at, "audio", pa.array(audio, kind)), my_tones / FIRST_SHARD)
    made = dict.fromkeys(table["take_id"].to_pylist(), tone(200, 0.5))
    monkeypatch.setattr("pipeline.verify.remake._make", lambda *_: made)
    findings = Findings()
    recipe = parse_recipe((my_tones / "recipe.yaml").read_text(encoding="utf-8"))
    check_remade(my_tones, recipe, 99, findings)
    told = [one.what for one in findings.problems if one.where in made]
    assert told == ["it is no FLAC: it does not begin as FLAC does"] * len(made)


def test_of_problems_without_number_the_first_are_told_and_all_are_counted() -> None:
    findings = Findings()
    for number in range(5000):
        findings.report("clips", f"take-{number}", "it is no FLAC")
    assert (len(findings.problems), findings.wrong["clips"]) == (1000, 5000)
    assert findings.sentences()[-1] == "and 4980 more"
    assert findings.as_dict()["wrong"] == {"clips": 5000}
