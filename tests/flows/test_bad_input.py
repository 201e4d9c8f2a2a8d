"""Bad input: a clear message, the exit code of the design, nothing lost, nothing half-written."""

import errno
import json
import os
from itertools import count

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from typer.testing import CliRunner

from flows.cli import app
from pipeline.audio import open_recording
from pipeline.cards.own_section import OWN_END, OWN_START
from tests.flows.buzz import RATE, voice


def failures(workbench):
    return {
        row["source_id"]: row["error"]
        for row in pq.read_table(workbench.out / "failures.parquet").to_pylist()
    }


def test_every_bad_recording_is_a_failed_row_and_the_good_ones_live(workbench):
    samples = {
        "good": voice(),
        "zeros": np.zeros(RATE, "f4"),
        "nan": np.full(RATE, np.nan, "f4"),
        "one": voice()[:1],
        "hour": np.zeros(3600 * 8, "f4"),
    }
    base = workbench.rows[0]
    workbench.rows = [{**base, "id": name, "path": f"{name}.wav"} for name in samples]
    for name, values in samples.items():
        rate = 8 if name == "hour" else RATE
        soundfile.write(workbench.folder / f"{name}.wav", values, rate, subtype="FLOAT")
    soundfile.write(workbench.folder / "cut.wav", voice(), RATE)
    whole = (workbench.folder / "cut.wav").read_bytes()
    (workbench.folder / "cut.wav").write_bytes(whole[:-9000])
    for name, path in (("cut", "cut.wav"), ("gone", "gone.wav"), ("out", "../../x.wav")):
        workbench.rows.append({**base, "id": name, "path": path})
    result = workbench.build("--set", "prosody.from=source", code=1)
    assert (result["kept"], result["failed"]) == (2, 7)
    errors = failures(workbench)
    for name, message in {
        "zeros": "silent",
        "nan": "not finite",
        "one": "lasts 0.000 s",
        "hour": "8 Hz",
        "cut": "cut off",
        "gone": "not a file",
    }.items():
        assert f"'{name}.wav'" in errors[name]
        assert message in errors[name]
    assert any("leads out of the list's folder" in error for error in errors.values())


@pytest.mark.parametrize(("times", "code"), [(2, 0), (9, 1)])
def test_a_recording_that_cannot_be_read_now_is_tried_again(workbench, monkeypatch, times, code):
    calls = count()

    def opens_later(recording, door):
        if next(calls) < times:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(recording.path))
        return open_recording(recording, door)

    monkeypatch.setattr("pipeline.stages.measure.open_recording", opens_later)
    soundfile.write(workbench.folder / "a.wav", voice(), RATE)
    workbench.rows = [{**workbench.rows[0], "path": "a.wav"}]
    result = workbench.build(code=code)
    if code:
        assert f"Input/output error: {workbench.folder}/a.wav" in result["error"].replace("\n", "")
        assert not list((workbench.folder / "work").glob("sources/**/*.parquet"))
    else:
        assert (result["kept"], result["failed"]) == (2, 0)


def test_every_bad_text_is_a_failed_row(workbench):
    base = workbench.rows[0]
    texts = {
        "long": "word " * 2000,
        "empty": "   ",
        "emoji": "😀 😀",
        "hebrew": "שלום עולם",
        "control": "a\x00b",
        "untranslated": "Nobody translated this.",
    }
    rows = [{**base, "id": name, "text": text} for name, text in texts.items()]
    workbench.rows = [base, *rows, {**base, "text": "A second one with the same id."}]
    result = workbench.build(code=1)
    assert result["kept"] == 3
    errors = failures(workbench)
    assert "10000 characters; door.longest_text is 400" in errors["long"]
    assert "empty" in errors["empty"]
    assert "no letter" in errors["emoji"]
    assert "no de translation" in errors["hebrew"]
    assert "control characters: U+0000" in errors["control"]
    assert "no de translation" in errors["untranslated"]
    assert "a second utterance has the id 'u0'" in errors["u0"]


def test_an_unmapped_emotion_is_dropped_with_a_count(workbench):
    workbench.rows.append({**workbench.rows[0], "id": "x", "emotion": "bored"})
    result = workbench.build()
    assert result["dropped_labels"] == {"bored": 1}
    assert json.loads((workbench.out / "build.json").read_text())["read"]["dropped"] == {"bored": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--set", "synthesis.engine=esspeak"],
            "synthesis: unknown engine 'esspeak' (did you mean 'espeak'?)",
        ),
        (["--set", "corpus.engine=manifst"], "unknown engine 'manifst' (did you mean 'manifest'?)"),
        (["--set", "corpus.path=nowhere.csv"], "corpus.path: there is no file 'nowhere.csv'"),
        (["--set", "translation.path=no.tsv"], "there is no translation memory 'no.tsv'"),
        (["--set", "licence=Unlicense-9"], "'Unlicense-9' is no SPDX id"),
        (["--set", "takes=0", "--set", "seed=-1"], "takes: 0 is not allowed"),
    ],
)
def test_a_wrong_recipe_ends_before_any_work(workbench, arguments, message):
    error = workbench.build(*arguments, code=2)["error"]
    assert message in error
    assert "Traceback" not in error
    assert not workbench.out.exists()


def test_a_folder_of_another_recipe_is_not_replaced(workbench):
    workbench.build("--limit", "1")
    before = workbench.hashes()
    error = workbench.build("--set", "name=other", code=2)["error"]
    assert "holds the set of recipe 'tiny', not of 'other'" in error
    assert workbench.hashes() == before
    (workbench.folder / "mine").mkdir()
    (workbench.folder / "mine" / "thesis.txt").write_text("years of work")
    error = workbench.build("--out", str(workbench.folder / "mine"), code=2)["error"]
    assert "did not make" in error
    assert (workbench.folder / "mine" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("manifest", [b"{", b"[]", b"\xff", b'{"recipe": "tiny"}'])
def test_a_folder_whose_manifest_is_not_ours_is_not_replaced(workbench, manifest):
    workbench.out.mkdir()
    (workbench.out / "MANIFEST.json").write_bytes(manifest)
    assert "did not make" in workbench.build(code=2)["error"]
    assert (workbench.out / "MANIFEST.json").read_bytes() == manifest


def test_a_folder_that_cannot_be_made_is_said_before_any_work(workbench):
    (workbench.folder / "file").touch()
    error = workbench.build("--out", str(workbench.folder / "file" / "set"), code=2)["error"]
    assert "can't be made in" in error
    assert not (workbench.folder / "work" / "utterances").exists()


def test_a_probe_without_recordings_is_refused_unless_it_is_a_dry_run(workbench):
    settings = ["judges=[{engine: probe}]", "gates={}", "selection={}"]
    probe = [part for setting in settings for part in ("--set", setting)]
    error = workbench.build(*probe, code=2)["error"]
    assert "the recordings have 0 speaker(s) and 0 emotion(s), and two of each" in error
    assert "remove 'probe' from the recipe's judges and gates" in error
    assert not (workbench.folder / "work" / "takes").exists()
    result = workbench.build(*probe, "--limit", "1")
    assert (result["kept"], result["rejected"]) == (2, 2)
    assert "'probe' was not fitted in this dry run: the recordings have 0" in result["warnings"][0]
    assert json.loads((workbench.out / "build.json").read_text())["probe"] is None


def test_every_failure_is_in_the_printed_table_and_costs_all_its_takes(workbench, monkeypatch):
    base = workbench.rows[0]
    texts = ["?" * n for n in range(1, 13)] + ["Nobody translated this."]
    workbench.rows += [{**base, "id": f"x{n}", "text": text} for n, text in enumerate(texts)]
    workbench.recipe["batch_size"] = 32
    monkeypatch.setenv("COLUMNS", "200")
    arguments = [one for one in workbench.command() if one != "--json"]
    done = CliRunner().invoke(app, [*arguments, "--set", "most_failed=0.74"])
    table = [line.split("│")[1:-1] for line in done.output.splitlines()]
    cells = {tuple(cell.strip() for cell in row) for row in table}
    assert {
        ("English", "5", "0", "5", "0"),
        ("German", "4", "0", "4", "1"),
        ("before any", "", "", "", "12"),
        ("all", "9", "0", "9", "13"),
    } <= cells
    assert "failed 3x: 3 other errors; see failures.parquet" in done.output
    # 12 of 17 entries in both languages, and one in German: 25 of 34 lines, of two takes each.
    assert done.exit_code == 0
    arguments[-1:] = [arguments[-1], "--set", "most_failed=0.73"]
    done = CliRunner().invoke(app, arguments)
    assert "error: failures cost 73.5% of the takes due, and most_failed allows 73%" in done.output
    assert done.exit_code == 1


def test_a_licence_that_is_stated_of_nothing_is_told(workbench):
    workbench.recipe["licences"] = {"memory.tsv": "CC0-1.0", "data/translations.tsv": "CC0-1.0"}
    [warning] = workbench.build("--limit", "1")["warnings"]
    assert "licences: 'data/translations.tsv' names nothing in this recipe" in warning


def test_what_a_person_wrote_into_the_card_outlives_the_next_build(workbench):
    workbench.build("--limit", "1")
    card = workbench.out / "README.md"
    own = f"{OWN_START}\nBuilt by Anna for her thesis.\n{OWN_END}"
    before, _, rest = card.read_text(encoding="utf-8").partition(OWN_START)
    card.write_text(before + own + rest.partition(OWN_END)[2], encoding="utf-8")
    workbench.build("--limit", "1", "--set", "splits.seed=1")
    assert own in card.read_text(encoding="utf-8")
    # Killed after the old folder was set aside and before the new one took its place.
    aside = workbench.out.with_name(".out.old")
    workbench.out.rename(aside)
    workbench.build("--set", "gates.length.min=0.4")
    assert own in card.read_text(encoding="utf-8")
    assert not aside.exists()


def test_what_no_build_writes_stays_in_the_folder(workbench):
    workbench.build("--limit", "1")
    kept = {".git/config": "mine", "answers-anna.json": "{}", "data/de/notes.txt": "listen again"}
    for name, text in kept.items():
        (workbench.out / name).parent.mkdir(exist_ok=True)
        (workbench.out / name).write_text(text)
    (workbench.out / "shared").symlink_to(workbench.folder)
    stale = workbench.out / "data" / "de" / "train-00007-of-00008.parquet"
    stale.write_bytes(b"of another build")

    def rebuilt(*arguments):
        workbench.build("--limit", "1", *arguments)
        assert {name: (workbench.out / name).read_text() for name in kept} == kept
        assert (workbench.out / "shared").readlink() == workbench.folder
        assert not stale.exists()

    rebuilt("--set", "splits.seed=1")
    # Killed when the new folder was in place, and the old one's files were not all moved.
    aside = workbench.out.with_name(".out.old")
    (aside / ".git").mkdir(parents=True)
    (workbench.out / ".git" / "config").rename(aside / ".git" / "config")
    (workbench.out / ".git").rmdir()
    rebuilt("--set", "splits.seed=2")
    assert not aside.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "gone.tsv"}, "there is no translation memory 'gone.tsv'"),
        ({"languages": ["en", "it"]}, "has no column 'it' in its first line: add it there"),
        ({"corrections": "gone.tsv"}, "corrections: there is no translation memory 'gone.tsv'"),
    ],
)
def test_a_table_that_is_missing_is_said_before_any_work(workbench, change, message):
    path = change.pop("path", None)
    workbench.recipe.update(change)
    if path:
        workbench.recipe["translation"]["path"] = path
    assert message in workbench.build(code=2)["error"]
    assert not (workbench.folder / "work" / "utterances").exists()
    planned = CliRunner().invoke(app, ["plan", str(workbench.folder / "tiny.yaml")])
    assert (planned.exit_code, message in planned.stderr) == (2, True)


def test_the_root_of_the_disk_is_no_place_for_a_set(workbench):
    assert "name one in it" in workbench.build("--out", "/", code=2)["error"]


def test_a_laxer_licence_is_refused_before_any_work(workbench):
    for row in workbench.rows:
        row["licence"] = "CC-BY-NC-SA-4.0"
    error = workbench.build("--set", "licence=CC0-1.0", code=2)["error"]
    assert "the components ask for CC-BY-NC-SA-4.0" in error
    assert not (workbench.folder / "work" / "takes").exists()


def test_a_number_of_workers_for_a_cluster_that_has_its_own_is_refused(workbench):
    error = workbench.build("--runner", "dask", "--address", "tcp://127.0.0.1:9", code=2)["error"]
    assert "--workers 2: the cluster at tcp://127.0.0.1:9 has its own number of workers" in error
    assert "leave out --workers" in error


def test_lines_that_text_gates_left_unspoken_are_counted(workbench):
    workbench.recipe["text_judges"] = [{"engine": "form"}]
    workbench.recipe["text_gates"] = {"script": {"score": "text_script_share", "min": 2}}
    result = workbench.build()
    assert (result["unspoken"], result["kept"], result["rejected"]) == (8, 0, 0)


def test_a_folder_s_name_is_printed_as_it_is(workbench, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    out = f"{workbench.folder}/set[de]"
    arguments = [one for one in workbench.command("--out", out) if one != "--json"]
    done = CliRunner().invoke(app, arguments)
    assert f"{out} in " in done.output
    assert f"listen: {out}/report.html" in done.output


def test_a_path_that_the_system_does_not_take_is_wrong_input():
    done = CliRunner().invoke(app, ["report", "x" * 5000])
    assert done.exit_code == 2
    assert done.output.startswith("error: a path is longer than this system takes: xxx")
    assert done.output.endswith("…: shorten it\n")


def test_a_recipe_moves_no_cursor(tmp_path):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text('"\\e[2J\\u202e": 1\n')
    done = CliRunner().invoke(app, ["plan", str(recipe)], color=True)
    assert done.exit_code == 2
    assert "error: [2J : unknown field" in done.output
