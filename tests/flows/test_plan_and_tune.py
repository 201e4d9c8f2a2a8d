"""`plan` says what a build then does; `tune` says what a build with other gates would keep."""

import json
import re

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tests.tiny_set import write_set


def run(*arguments, code=0):
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, (done.output, done.exception)
    return done


def test_a_plan_counts_what_a_build_makes_and_does_nothing(workbench):
    workbench.rows.append({**workbench.rows[0], "id": "x", "emotion": "bored"})
    workbench.rows.append({**workbench.rows[0], "id": "y", "text": " "})
    workbench.command()
    recipe = str(workbench.folder / "tiny.yaml")
    plan = json.loads(run("plan", recipe, "--json").stdout)
    assert (plan["utterances"], plan["lines"], plan["takes"]) == (4, 8, 16)
    assert plan["dropped_labels"] == {"bored": 1}
    assert plan["refused"] == ["y: the text is empty"]
    assert plan["licence"] == "CC0-1.0"
    assert not (workbench.folder / "work").exists()
    built = workbench.build(code=1)
    assert built["kept"] + built["rejected"] == plan["takes"]


def test_a_corpus_that_is_not_here_is_billed_as_published():
    plan = json.loads(run("plan", "ravdess", "--set", "corpus.path=gone", "--json").stdout)
    assert (plan["utterances"], plan["speakers"], plan["with_recording"]) == (1248, 24, 0)
    assert plan["lines"] == 5 * 1248
    assert "ravdess: 1248 utterances as published" in plan["absent"][0]
    assert plan["licence"] == "CC-BY-NC-SA-4.0"
    assert plan["core_hours"] > 1 > plan["gpu_hours"]
    arguments = ("plan", "ravdess", "--set", "corpus.path=gone", "--limit", "12", "--json")
    limited = json.loads(run(*arguments).stdout)
    assert (limited["lines"], limited["speakers"]) == (60, 12)
    shown = run("plan", "ravdess", "--set", "corpus.path=gone").stdout
    assert "not on this machine: ravdess" in shown


def test_the_open_recipe_may_be_shared_and_refuses_a_part_that_may_not():
    plan = json.loads(run("plan", "m5ser-open", "--json").stdout)
    assert plan["licence"] == "ODbL-1.0"
    cloned = run("plan", "m5ser-open", "--set", "synthesis={engine: xtts}", code=2)
    assert "'ODbL-1.0' is claimed, but the set may not be shared" in cloned.stderr


def test_the_whole_set_is_billed_by_device_and_engine():
    assert json.loads(run("plan", "m5ser", "--limit", "1", "--json").stdout)["speakers"] == 1
    plan = json.loads(run("plan", "m5ser", "--json").stdout)
    assert plan["utterances"] > 40_000
    assert plan["gpu_hours"] > plan["build_hours"] / 10
    assert {"nllb", "xtts", "hubert", "whisper_emotion"} <= {b["engine"] for b in plan["bills"]}
    assert all(bill["source"] for bill in plan["bills"])


def test_a_second_whisper_is_billed_for_the_takes_it_hears():
    plan = json.loads(run("plan", "m5ser", "--json").stdout)
    hours = {bill["engine"]: bill for bill in plan["bills"]}
    second = hours["large-v3 for the borderline"]
    assert 0 < second["hours"] < hours["whisper"]["hours"]
    assert "20% of the takes (assumed)" in second["source"]


def test_a_plan_shows_the_program_that_a_recipe_would_run_and_hides_nothing_of_it():
    said = ["speak", "[red]a b", "\x1b[2K", "\u202e"]
    sets = ("--set", f"synthesis={json.dumps({'engine': 'command', 'command': said})}")
    shown = run("plan", "quickstart", "--set", "licence=null", *sets).stdout
    wanted = "--allow-commands: speak '[red]a b' '\\x1b[2K' '\\u202e'"
    assert wanted in shown
    plan = json.loads(run("plan", "quickstart", "--set", "licence=null", *sets, "--json").stdout)
    assert plan["command"] in wanted
    embedded = json.loads(run("plan", "quickstart", "--json").stdout)
    assert (embedded["command"], embedded["gpu_hours"]) == (None, 0)


def test_a_limited_plan_reads_of_the_corpus_what_a_limited_build_reads(workbench):
    bored, empty = {"id": "x", "emotion": "bored"}, {"id": "y", "text": " "}
    again, late = {"id": "u0", "text": "Again."}, {"id": "z", "emotion": "late"}
    first = workbench.rows[0]
    changes = ({}, bored, again, empty, {"id": "u1"}, late, {"id": "u2"})
    workbench.rows = [{**first, **change} for change in changes]
    built = workbench.build("--limit", "3", code=1)
    arguments = ("plan", str(workbench.folder / "tiny.yaml"), "--json")
    plan = json.loads(run(*arguments, "--limit", "3").stdout)
    assert plan["dropped_labels"] == built["dropped_labels"] == {"bored": 1}
    assert built["failed"] == len(plan["refused"]) == 2
    assert "a second utterance has the id 'u0'" in plan["refused"][0]
    assert plan["refused"][1] == "y: the text is empty"
    assert (plan["utterances"], plan["takes"]) == (2, built["kept"] + built["rejected"])
    whole = json.loads(run(*arguments).stdout)
    assert (whole["utterances"], whole["dropped_labels"]) == (3, {"bored": 1, "late": 1})


def test_a_plan_after_a_build_bills_what_that_took(workbench, monkeypatch):
    monkeypatch.setattr("flows.price._LEAST_S", 8.0)
    workbench.command()
    arguments = ("plan", str(workbench.folder / "tiny.yaml"), "--json")
    work = ("--work", str(workbench.folder / "work"))
    before = json.loads(run(*arguments, *work).stdout)["bills"]
    assert not any("measured here" in bill["source"] for bill in before)
    workbench.build("--limit", "1")
    assert json.loads(run(*arguments, *work).stdout)["bills"] == before
    workbench.build()
    after = json.loads(run(*arguments, *work).stdout)["bills"]
    measured = {bill["stage"] for bill in after if "measured here" in bill["source"]}
    assert {"translate", "synthesize", "judge"} <= measured


def test_a_plan_refuses_what_a_build_would(workbench):
    workbench.command()
    recipe = str(workbench.folder / "tiny.yaml")
    refused = run("plan", recipe, "--set", "corpus.path=gone.csv", code=2)
    assert "there is no file 'gone.csv'" in refused.stderr
    assert "licence: 'MIT-0'" in run("plan", recipe, "--set", "licence=MIT-0", code=2).stderr


def test_a_plan_counts_missing_translations_as_a_build_does(workbench):
    workbench.rows[1]["text"] = "What a lovely dey!"
    workbench.command()
    recipe = str(workbench.folder / "tiny.yaml")
    planned = json.loads(run("plan", recipe, "--json").stdout)
    assert planned["warnings"][0].startswith("most_failed: 2 of 16 takes would fail, and it allows")
    allowed = json.loads(run("plan", recipe, "--json", "--set", "most_failed=0.125").stdout)
    assert not any("most_failed" in one for one in allowed["warnings"])


def test_a_plan_names_missing_clips_and_translations(workbench):
    workbench.rows[0]["path"] = "gone.wav"
    workbench.rows[1]["text"] = "What a lovely dey!"
    workbench.command()
    recipe = str(workbench.folder / "tiny.yaml")
    planned = json.loads(run("plan", recipe, "--json").stdout)
    gone = workbench.folder / "gone.wav"
    [many] = planned["warnings"][:1]
    assert many.startswith("most_failed: 6 of 16 takes would fail, and it allows 0%")
    lacking = (
        "1 lines: the memory has no de translation of 1 sentences, the first: What a lovely dey! "
        "(it has: What a lovely day!)"
    )
    assert planned["refused"] == [f"u0: '{gone}' is not a file", lacking]
    (workbench.folder / "own.tsv").write_text("en\tde\nWhat a lovely dey!\tSchön!\n")
    mended = f"corrections={workbench.folder / 'own.tsv'}"
    assert (
        lacking not in json.loads(run("plan", recipe, "--set", mended, "--json").stdout)["refused"]
    )


def test_a_plan_and_a_build_say_what_the_corpus_can_t_give_the_set(workbench):
    for row in workbench.rows:
        row["speaker"] = "anna"
    workbench.command()
    recipe = str(workbench.folder / "tiny.yaml")
    [warning] = json.loads(run("plan", recipe, "--json").stdout)["warnings"]
    assert warning.startswith("splits: nothing is left for validation and test")
    assert f"warning: {warning}" in run("plan", recipe).stdout
    assert workbench.build()["warnings"] == [warning]
    assert json.loads(run("plan", recipe, "--limit", "1", "--json").stdout)["warnings"] == []


def test_tune_says_what_a_build_with_these_gates_keeps(workbench):
    workbench.build()
    gate = "gates.length.max=1.2"
    tuned = json.loads(run("tune", str(workbench.out), "--set", gate, "--json").stdout)
    assert tuned["kept_before"] == 8
    built = workbench.build("--set", gate)
    assert tuned["kept_after"] == built["kept"]
    assert tuned["reasons"] == built["reasons"]
    assert 0 < tuned["kept_after"] < 16
    again = json.loads(run("tune", str(workbench.out), "--json").stdout)
    assert again["reasons_before"] == again["reasons"] == built["reasons"]
    assert again["rules"] == {}


def test_tune_names_the_cells_that_would_lose_all_their_takes(tones):
    gate = "gates.length.min=99"
    cells = json.loads(run("tune", str(tones), "--set", gate, "--json").stdout)["cells"]
    assert {(one["language"], one["emotion"]) for one in cells} >= {("de", "happy"), ("fr", "sad")}
    assert {one["after"] for one in cells} == {0}


def test_tune_says_what_changes_and_what_all_of_it_comes_to(tones):
    sets = ("--set", "gates.length.min=0.3", "--set", "gates.rate={score: chars_per_s, min: 99}")
    tuned = json.loads(run("tune", str(tones), *sets, "--json").stdout)
    rules = {
        "length": "duration_s (s) at least 0.3",
        "rate": "chars_per_s (characters/s) at least 99",
    }
    assert tuned["rules"] == rules
    assert tuned["reasons_before"] == {"length": 6}
    assert sum(tuned["reasons"].values()) == 6 + tuned["kept_before"] - tuned["kept_after"]
    shown = run("tune", str(tones), *sets).stdout
    total = re.search(r"│ all .*│ (\d+->\d+) *│\n", shown)
    assert total[1] == f"{tuned['kept_before']}->{tuned['kept_after']}"
    assert "length asks now: duration_s (s) at least 0.3" in shown
    assert f"rejected: 6 -> {sum(tuned['reasons'].values())}, each take at the first gate" in shown
    assert f"rate: 0 -> {tuned['reasons']['rate']}" in shown
    dropped = json.loads(run("tune", str(tones), "--set", "gates.length=null", "--json").stdout)
    assert dropped["rules"] == {"length": "nothing more"}
    assert (dropped["reasons_before"], dropped["reasons"]) == (
        {"length": 6},
        {"best_take": 6},
    )


def test_tune_counts_takes_of_equal_audio_as_the_build_did(workbench):
    workbench.recipe["prosody"] = {"from": "none"}  # both takes of a line are the same bytes
    workbench.recipe["gates"] = {"pace": {"score": "phones_per_s", "min_quantile": 0.4}}
    built = workbench.build()
    assert built["reasons"]["duplicate"]
    tuned = json.loads(run("tune", str(workbench.out), "--json").stdout)
    assert tuned["kept_before"] == tuned["kept_after"] == built["kept"]
    assert tuned["reasons"] == built["reasons"]


def test_a_part_of_a_set_is_not_tuned(tmp_path):
    folder = write_set(tmp_path / "set")
    build = json.loads((folder / "build.json").read_text())
    build["part"] = {"repository": "org/set", "revision": "abc"}
    (folder / "build.json").write_text(json.dumps(build))
    assert "tune the whole set" in run("tune", str(folder), code=2).stderr


@pytest.mark.parametrize("command", ["tune", "report", "listening-test"])
@pytest.mark.parametrize("name", ["build.json", "data/de/train-00000-of-00002.parquet"])
def test_a_damaged_folder_is_said_in_a_sentence(tmp_path, command, name):
    folder = write_set(tmp_path / "set")
    assert (folder / name).is_file()
    (folder / name).write_text("{")
    said = run(command, str(folder), code=2).stderr
    assert "is no dataset folder, or damaged" in said
    assert "`m5ser verify` says which file" in said


def test_tune_says_what_would_be_kept_where_nothing_was(workbench):
    assert workbench.build("--set", "gates.length.min=99")["kept"] == 0
    gate = "gates.length.min=0.2"
    tuned = json.loads(run("tune", str(workbench.out), "--set", gate, "--json").stdout)
    assert (tuned["kept_before"], tuned["kept_after"]) == (0, 8)


def test_tune_of_a_set_without_takes_says_that_there_are_none(workbench):
    workbench.recipe["text_judges"] = [{"engine": "form"}]
    workbench.recipe["text_gates"] = {"script": {"score": "text_script_share", "min": 2}}
    workbench.build()
    tuned = json.loads(run("tune", str(workbench.out), "--json").stdout)
    nothing = {"reasons_before": {}, "reasons": {}, "rules": {}, "cells": []}
    assert tuned == {"kept_before": 0, "kept_after": 0, **nothing}


@pytest.mark.parametrize(
    "override", ["text_gates={}", "takes=5", "judges=[{engine: speech}]", "gate.length.min=1"]
)
def test_tune_refuses_what_would_change_no_decision(workbench, tmp_path, override):
    workbench.command()
    (tmp_path / "recipe.yaml").write_bytes((tmp_path / "tiny.yaml").read_bytes())
    refused = run("tune", str(tmp_path), "--set", override, code=2).stderr
    name = override.partition("=")[0].partition(".")[0]
    assert f"--set '{override}': '{name}' takes effect when a set is built" in refused
    assert "tune changes gates and selection" in refused


def test_tune_writes_the_recipe_and_leaves_the_folder_alone(workbench, tmp_path):
    workbench.build()
    before = workbench.hashes()
    new = tmp_path / "new.yaml"
    run("tune", str(workbench.out), "--set", "gates.length.max=1.2", "--write", str(new))
    assert workbench.hashes() == before
    assert "max: 1.2" in new.read_text()


def test_tune_and_report_refuse_what_is_no_dataset_folder(tmp_path):
    for command in ("tune", "report"):
        assert "is no dataset folder" in run(command, str(tmp_path), code=2).stderr


def test_report_writes_the_same_bytes_again(workbench):
    workbench.build()
    before = workbench.hashes()
    (workbench.out / "report.html").write_text("gone")
    run("report", str(workbench.out))
    assert workbench.hashes() == before


def test_every_command_helps_with_an_example():
    for command in ("build", "plan", "calibrate", "tune", "report", "schema"):
        assert "Example: m5ser" in run(command, "--help").stdout
    assert json.loads(run("schema").stdout)["title"] == "Recipe"


@pytest.mark.parametrize("option", [(), ("--training",)])
def test_the_schema_describes_every_field(option):
    schema = json.loads(run("schema", *option).stdout)
    groups = {schema["title"]: schema, **schema["$defs"]}
    fields = {
        f"{group}.{name}": told
        for group, one in groups.items()
        for name, told in one.get("properties", {}).items()
    }
    assert len(fields) > 100
    assert [name for name, told in fields.items() if not told.get("description")] == []
