"""A listening test from the page's answers to the table, through the command."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from flows.cli import app
from pipeline.dataset.reading import open_folder
from pipeline.listening.draw import Draw, draw_clips

EMOTIONS = ("angry", "happy", "sad")


def run(*arguments, code=0):
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done


@pytest.fixture
def written(tones, tmp_path):
    """What the page of a test of nine kept and three rejected clips holds."""
    page = tmp_path / "page.html"
    said = run("listening-test", tones, "--clips", 9, "--rejected", 3, "--out", page, "--json")
    assert json.loads(said.stdout) == {"page": str(page), "clips": 12}
    found = re.search(r'id="test">(.*?)</script>', page.read_text("utf-8"), re.S)
    return json.loads(found.group(1))


@pytest.fixture
def meant(tones, written):
    """The emotion that each clip was meant to have."""
    with open_folder(tones) as dataset:
        return {clip.key: clip for clip in draw_clips(dataset, Draw(**written["draw"]))}


def answers(tmp_path, written, who, heard, **changes):
    """A file as the page saves it; `heard` says the emotion of a key."""
    saved = {
        "test": written["test"],
        "draw": written["draw"],
        "listener": who,
        "answers": [
            {"clip": key, "emotion": heard(key), "naturalness": 4} for key in written["clips"]
        ],
        **changes,
    }
    path = tmp_path / f"answers-{who}.json"
    path.write_text(json.dumps(saved), "utf-8")
    return path


def results(tones, *files):
    return json.loads(run("listening-results", tones, *files, "--json").stdout)


def test_all_is_heard_as_it_was_meant(tones, tmp_path, written, meant):
    files = [answers(tmp_path, written, name, lambda k: meant[k].emotion) for name in "ab"]
    found = results(tones, *files)
    assert found["listeners"] == 2
    assert found["alpha"] == 1
    assert found["confusion"] == [[6, 0, 0, 0], [0, 6, 0, 0], [0, 0, 6, 0]]
    parts = {(part["takes"], part["language"]): part for part in found["parts"]}
    assert parts["kept", "all"]["ua"] == 100
    assert (parts["kept", "all"]["clips"], parts["kept", "all"]["answers"]) == (9, 18)
    assert parts["kept", "de"]["clips"] == 3
    assert parts["rejected", "all"]["clips"] == 3
    assert parts["kept", "all"]["naturalness"] == 4


def test_one_answer_to_all_is_chance(tones, tmp_path, written):
    found = results(tones, answers(tmp_path, written, "a", lambda _: "sad"))
    kept = found["parts"][0]
    assert kept["ua"] == pytest.approx(100 / 3)
    assert found["confusion"] == [[0, 0, 3, 0]] * 3
    assert found["alpha"] is None


def test_none_of_the_emotions_is_a_miss_with_a_column_of_its_own(tones, tmp_path, written, meant):
    def heard(key):
        return "none" if meant[key].emotion == "sad" else meant[key].emotion

    file = answers(tmp_path, written, "a", heard)
    found = results(tones, file)
    assert found["heard_as"] == ["angry", "happy", "sad", "none"]
    assert found["confusion"] == [[3, 0, 0, 0], [0, 3, 0, 0], [0, 0, 0, 3]]
    assert found["parts"][0]["ua"] == pytest.approx(200 / 3)
    assert re.search(r"meant.*sad.*none", run("listening-results", tones, file).stdout)


def test_languages_that_a_listener_knows_are_counted_apart(tones, tmp_path, written, meant):
    def heard(key):
        return meant[key].emotion if meant[key].language == "de" else "sad"

    told = answers(tmp_path, written, "a", heard, known=["de"])
    silent = answers(tmp_path, written, "b", heard)
    found = results(tones, told, silent)["parts"]
    parts = {(one["takes"], one["language"]): one for one in found}
    known, unknown = parts["kept", "known"], parts["kept", "unknown"]
    assert (known["answers"], known["ua"]) == (3, 100)
    assert (unknown["answers"], unknown["ua"]) == (6, pytest.approx(100 / 3))
    assert parts["kept", "all"]["answers"] == 18
    shown = run("listening-results", tones, told).stdout
    assert "known, unknown: languages that each listener says" in shown
    assert "known, unknown" not in run("listening-results", tones, silent).stdout
    asked_nothing = {part["language"] for part in results(tones, silent)["parts"]}
    assert asked_nothing == {"all", "en", "de", "fr"}
    none = answers(tmp_path, written, "c", heard, known=[])
    assert results(tones, none)["parts"][1]["language"] == "unknown"


def test_the_interval_is_over_those_who_listened_too(tones, tmp_path, written, meant):
    wrong = {"angry": "happy", "happy": "sad", "sad": "angry"}
    good = answers(tmp_path, written, "a", lambda key: meant[key].emotion)
    bad = answers(tmp_path, written, "b", lambda key: wrong[meant[key].emotion])
    both = results(tones, good, bad)["parts"][0]
    assert both["interval_over"] == ["sentences", "listeners"]
    assert (both["ua"], both["ua_interval"]) == (50, [0, 100])
    alone = results(tones, good)["parts"][0]
    assert (alone["interval_over"], alone["listeners"]) == (["sentences"], 1)
    shown = run("listening-results", tones, good, bad).stdout
    assert "95 %: over sentences and listeners" in shown
    assert "of this one listener" in run("listening-results", tones, good).stdout


def test_an_unfinished_test_counts_as_far_as_it_went(tones, tmp_path, written):
    whole = answers(tmp_path, written, "a", lambda _: "sad")
    given = json.loads(whole.read_text())["answers"][:4]
    part = answers(tmp_path, written, "b", lambda _: "sad", answers=given)
    counted = sum(p["answers"] for p in results(tones, part)["parts"] if p["language"] == "all")
    assert counted == 4


def test_a_person_sees_a_table(tones, tmp_path, written, meant):
    said = run(
        "listening-results", tones, answers(tmp_path, written, "a", lambda k: meant[k].emotion)
    ).stdout
    assert "German" in said
    assert "100.0" in said
    assert "listeners: 1; chance 33.3 %; Krippendorff's alpha unknown" in said


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"test": "0" * 16}, "answers another test"),
        ({"draw": {"clips": 5}}, "answers another test"),
        ({"listener": ""}, "listener: String should have at least 1 character"),
        ({"answers": []}, "no file holds an answer"),
        ({"\x1b[2J": 1}, "answers-a.json': [2J: Extra inputs"),
        ({"known": ["xx"]}, "known.0: Input should be"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
        (
            {"answers": [{"clip": "0" * 16, "emotion": "sad", "naturalness": 3}]},
            "answers another test",
        ),
        (
            {"answers": [{"clip": "0" * 16, "emotion": "bored", "naturalness": 3}]},
            "answers.0.emotion",
        ),
        (
            {"answers": [{"clip": "0" * 16, "emotion": "sad", "naturalness": 6}]},
            "answers.0.naturalness",
        ),
        (
            {"answers": [{"clip": "0" * 16, "emotion": "sad", "naturalness": 3}] * 2},
            "a clip has two answers",
        ),
    ],
)
def test_answers_that_the_page_did_not_save_are_refused(tones, tmp_path, written, changes, error):
    file = answers(tmp_path, written, "a", lambda _: "sad", **changes)
    said = run("listening-results", tones, file, code=2).stderr
    assert error in said.replace("\n", " ")


def test_an_emotion_that_the_set_lacks_is_refused(tones, tmp_path, written):
    file = answers(tmp_path, written, "a", lambda _: "fearful")
    assert "the set has no fearful" in run("listening-results", tones, file, code=2).stderr


def test_a_listener_counts_once(tones, tmp_path, written):
    file = answers(tmp_path, written, "a", lambda _: "sad")
    said = run("listening-results", tones, file, file, code=2).stderr
    assert "listener 'a' has answered twice" in said


def test_a_listener_s_name_does_nothing_to_a_terminal(tones, tmp_path, written):
    file = answers(tmp_path, written, "a", lambda _: "sad", listener="a\x1b[2J\u202eb")
    said = run("listening-results", tones, file, file, code=2).stderr
    assert "listener 'a [2J b' has answered twice" in said


def test_what_is_no_json_or_too_large_is_refused(tones, tmp_path):
    file = tmp_path / "answers.json"
    file.write_text("{")
    assert "Invalid JSON" in run("listening-results", tones, file, code=2).stderr
    file.write_bytes(b" " * ((1 << 20) + 1))
    assert "larger than 1 MiB" in run("listening-results", tones, file, code=2).stderr


def test_answers_that_are_not_there_are_named(tones, tmp_path):
    said = run("listening-results", tones, tmp_path / "none.json", code=2).stderr
    assert f"'{tmp_path / 'none.json'}' is not there: give the files that the listeners" in said


def test_a_folder_that_is_no_set_is_named(tmp_path):
    said = run("listening-test", tmp_path, code=2).stderr
    assert "is no dataset folder" in said


def test_an_unknown_language_is_named(tones):
    said = run("listening-test", tones, "--languages", "de,xx", code=2).stderr
    assert "--languages xx: unknown; known are en, de" in said
    said = run("listening-test", tones, "--languages", "zh", code=2).stderr
    assert "has no take in zh" in said.replace("\n", " ")


def test_by_itself_the_page_lies_beside_the_folder(my_tones):
    run("listening-test", my_tones, "--clips", 1)
    assert my_tones.with_name("tones-listening-test.html").is_file()


def test_a_page_that_has_no_place_is_no_damage_of_the_set(tones, tmp_path):
    said = run("listening-test", tones, "--out", tmp_path / "gone" / "page.html", code=1).stderr
    assert str(tmp_path / "gone") in said
    assert "damaged" not in said
