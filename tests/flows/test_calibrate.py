"""`m5ser calibrate`: judges on recordings with labels, and what is written for the recipe."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from flows.calibrate import Calibrated, calibrate, check_place, speech_of
from flows.cli import app
from pipeline.corpora.manifest import Manifest
from pipeline.corpora.ravdess import Ravdess
from pipeline.emotions import EMOTIONS
from pipeline.errors import InputError
from pipeline.judges.calibrating import spread
from pipeline.recipe_file import load_recipe
from pipeline.records import Utterance
from tests.checkpoints import audio, corpus

LABELS = {"neu": "neutral", "hap": "happy", "ang": "angry", "sad": "sad"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two manifests of four clips, a classifier, and a recipe that has it judge."""
    folder = tmp_path_factory.mktemp("calibrate")
    corpus.write(folder / "en")
    corpus.write(folder / "de")
    rows = (folder / "de/manifest.jsonl").read_text().splitlines()
    missing = json.dumps({**json.loads(rows[0]), "id": "gone", "path": "gone.wav"})
    (folder / "de/manifest.jsonl").write_text("\n".join([*rows, missing]))
    audio.write_classifier(folder / "hubert", "hubert", audio.FOUR, norm="layer")
    judges = [
        {"engine": "duration"},
        {"engine": "emotion", "name": "h", "model": str(folder / "hubert"), "labels": LABELS},
        {"engine": "whisper", "model": "small-espeak", "window": "short"},
    ]
    fields = {
        "name": "tiny",
        "corpus": {"engine": "manifest", "path": str(folder / "en/manifest.jsonl")},
        "languages": ["en", "de"],
        "prosody": {"from": "source"},
        "judges": judges,
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(fields))
    return folder


def run(folder, *arguments, code=0):
    done = CliRunner().invoke(app, ["calibrate", str(folder / "tiny.yaml"), *arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def both(folder):
    return [part for one in ("en", "de")
            for part in ("--speech", f"{one}={folder / one / 'manifest.jsonl'}")]  # fmt: skip


@pytest.fixture(scope="module")
def found(folder):
    done = run(folder, *both(folder), "--json", "--write", str(folder / "calibrated.yaml"))
    return json.loads(done.stdout)


def test_every_judge_that_knows_classes_is_held_against_every_language(folder, found):
    by_place = {(one["judge"], one["language"]): one for one in found["found"]}
    assert set(by_place) == {("h", "en"), ("h", "de"), ("whisper", "every")}
    for (judge, _), one in by_place.items():
        clips = 8 if judge == "whisper" else 4
        assert one["metrics"]["clips"] == clips == sum(map(sum, one["confusion"]))
        low, high = one["metrics"]["ua_interval"]
        assert 0 <= low <= one["metrics"]["ua"] <= high <= 1
        assert 0 <= one["ece"] <= 1
        assert 0 <= one["ece_calibrated"] <= 1
        assert one["temperature"] > 0
    assert by_place["h", "en"]["classes"] == ["angry", "happy", "neutral", "sad"]
    assert by_place["h", "en"]["score"] == "h_margin"
    assert by_place["h", "en"]["confusion"] == by_place["h", "de"]["confusion"]
    assert by_place["whisper", "every"]["classes"] == ["en", "de"]
    assert by_place["whisper", "every"]["score"] == "language_audio_probability"


def test_a_clip_that_can_not_be_heard_is_told_and_stops_nothing(found):
    assert found["notes"] == ["de: not heard: 'gone.wav' is not a file"]


def test_the_recipe_is_written_with_the_temperatures_and_nothing_else(folder, found):
    before, after = (load_recipe(str(folder / f"{name}.yaml")) for name in ("tiny", "calibrated"))
    temperature = {(one["judge"], one["language"]): one["temperature"] for one in found["found"]}
    hubert, whisper = after.judges[1:]
    assert hubert.temperatures == {one: temperature["h", one] for one in ("en", "de")}
    assert whisper.language_temperature == temperature["whisper", "every"]
    cold = (
        hubert.model_copy(update={"temperatures": {}}),
        whisper.model_copy(update={"language_temperature": 1.0}),
    )
    assert after.model_copy(update={"judges": (after.judges[0], *cold)}) == before


def test_a_person_reads_a_row_a_judge_and_the_recipe_s_own_corpus_is_english(folder):
    console = Console(width=200, record=True, file=io.StringIO())
    recipe = load_recipe(str(folder / "tiny.yaml"))
    made = calibrate(recipe, speech_of(recipe, []), None, console)
    assert [(one.judge, one.language) for one in made.found] == [("h", "en")]
    assert made.notes == ("whisper: speech in two or more of the recipe's languages is needed",)
    made.print_to(console)
    text = console.export_text()
    assert "h_margin >= " in text
    assert "h, en: true in rows" in text
    assert made.notes[0] in text


def test_of_many_notes_a_person_is_shown_some():
    console = Console(width=100, record=True, file=io.StringIO())
    Calibrated("a", (), tuple(f"note {n}" for n in range(12))).print_to(console)
    text = console.export_text()
    assert "note 9" in text
    assert "note 10" not in text
    assert "and 2 more" in text


def test_a_limit_takes_clips_from_all_of_a_corpus(folder):
    found = json.loads(run(folder, "--limit", "3", "--json").stdout)["found"]
    assert found[0]["metrics"]["clips"] == 3
    assert found[0]["speakers"] == 2


def test_a_limit_is_not_in_step_with_a_corpus_that_lists_its_speakers_in_turn():
    listed = [
        Utterance(f"{emotion}-{one}", "c", "Yes.", emotion, str(one), "unknown", "CC0-1.0")
        for emotion in EMOTIONS
        for one in range(24)
    ]
    chosen = spread(listed, 42)
    assert len(chosen) == 42
    assert chosen == [one for one in listed if one in chosen]
    assert len({one.speaker for one in chosen}) > 18
    assert {one.emotion for one in chosen} == set(EMOTIONS)


def test_speech_is_a_manifest_or_any_corpus():
    recipe = load_recipe("quickstart")
    given = ["de=a/b.csv", "en={engine: ravdess, path: data}"]
    speech = speech_of(recipe, given)
    assert isinstance(speech["de"], Manifest)
    assert isinstance(speech["en"], Ravdess)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["xx=a.csv"], "languages are en, de"),
        (["de"], "as LANGUAGE=MANIFEST"),
        (["de=a.csv", "de=b.csv"], "each language once"),
        (["de={engine: none}"], "--speech .* corpus: unknown engine 'none'; known are: quick"),
        (["de={engine: ravdess, pth: a}"], "--speech .* corpus.pth: unknown field .* 'path'"),
        (["de={engine"], "--speech {engine: the recipe is not YAML"),
    ],
)
def test_what_names_no_speech_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        speech_of(load_recipe("quickstart"), given)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["judges=[{engine: duration}]"], "neither `emotion` nor `whisper`"),
        (["corpus={engine: quickstart}"], "no recordings of human speech in 'en'"),
        (["judges.emotion.labels={neu: neutral, hap: null, ang: null, sad: null}"], "two or more"),
    ],
)
def test_what_says_nothing_of_a_judge_is_refused(folder, overrides, message):
    sets = [part for one in overrides for part in ("--set", one)]
    assert message in run(folder, *sets, code=2).stderr


@pytest.mark.parametrize("name", ["there/is/none.yaml", "en"])
def test_a_place_that_can_not_be_written_is_refused_before_anything_is_heard(
    folder, monkeypatch, name
):
    monkeypatch.setattr("flows.calibrate.calibrate", lambda *_: pytest.fail("it was heard"))
    refused = run(folder, "--write", str(folder / name), code=2)
    assert f"--write: '{folder / name}' is no file in a folder that there is" in refused.stderr


def test_a_place_that_is_another_s_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InputError, match="new.yaml' may not be written by you; name another"):
        check_place(tmp_path / "new.yaml")


def test_what_was_found_is_printed_though_it_can_not_be_written(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "calibrated.yaml")

    monkeypatch.setattr("flows.calibrate.write_calibrated", full)
    done = run(folder, "--json", "--write", str(folder / "new.yaml"), code=1)
    assert json.loads(done.stdout)["found"]
    assert f"No space left on device: the disk of '{Path.cwd()}' is full" in done.stderr
