"""`m5ser evaluate` as a person calls it."""

import json
import re
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from flows import evaluate
from pipeline.audio import encode_flac
from pipeline.errors import InputError
from tests.flows.calling import call, fresh_place
from tests.model.tiny import RATE, TINY, tone, write_set


def test_evaluation_holds_the_model_against_baselines(place):
    result = call("evaluate", place / "m", "--work", place / "w")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output.splitlines()[-1])
    own = "frames + MLP, trained on this language"
    assert set(found["metrics"]) == {"m5ser", "majority", "frames + MLP", own}
    assert set(found["metrics"][own]) == {"en", "de"}
    assert set(found["metrics"]["m5ser"]) == {"all", "en", "de"}
    assert found["metrics"]["m5ser"]["all"]["ua"] > 0.8
    assert found["metrics"]["majority"]["all"]["ua"] == pytest.approx(1 / 3)
    assert found["metrics"]["frames + MLP"]["all"]["ua"] > 0.8
    readable = found["readable_off_the_embedding"]
    assert set(readable) == {"align", "transfer"}
    assert {name: one["chance"] for name, one in readable["align"].items()} == {
        "language": 0.5,
        "speaker": 0.5,
    }
    assert json.loads((place / "m" / "evaluation.json").read_text()) == found
    for name in ("confusion", "embeddings"):
        assert (place / "m" / "figures" / f"{name}.png").read_bytes()[1:4] == b"PNG"
    ua = f"{100 * found['metrics']['m5ser']['de']['ua']:.1f}"
    assert f"| de | m5ser | 12 | {ua} |" in (place / "m" / "evaluation.md").read_text()
    card = (place / "m" / "README.md").read_text()
    assert card.count("(chance 50.0%)") == 4
    assert "On the test clips of set:" in card
    assert f"| de | m5ser | 12 | {ua} |" in card


def test_baselines_are_fitted_on_what_the_stages_hear(place, tmp_path):
    """Of `angry` there is German alone, and the model hears English."""

    def one_language(row):
        return None if row["emotion"] == "angry" and row["language"] == "en" else row

    train = fresh_place(place, tmp_path, one_language)
    result = call(*train, "--set", "stages.0.languages=[en]")
    assert result.exit_code == 0, result.output
    result = call("evaluate", tmp_path / "m", "--work", tmp_path / "w")
    assert result.exit_code == 0, result.output
    recall = {
        name: one["de"]["ua"]
        for name, one in json.loads(result.output.splitlines()[-1])["metrics"].items()
    }
    assert recall["frames + MLP"] < 0.67
    assert recall["frames + MLP, trained on this language"] > 0.67


def test_evaluation_encodes_no_clip_of_the_training_again(place, tmp_path):
    result = call("evaluate", place / "m", "--work", place / "w", "--out", tmp_path / "again")
    assert result.exit_code == 0, result.output
    tables = [pq.read_table(path) for path in (place / "w").rglob("rows.parquet")]
    names = [name for table in tables for name in table["name"].to_pylist() if "train-" in name]
    assert len(names) == len(set(names)) == 24


@pytest.fixture
def recordings(tmp_path):
    """A manifest of two speakers, each with one recording of every label."""
    lines = ["path,text,emotion,speaker,licence"]
    for emotion in TINY["labels"]:
        for number, speaker in enumerate(("anna", "bela")):
            clip = encode_flac(np.tile(tone(emotion, "de", speaker, number), 2), RATE)
            (tmp_path / f"{speaker}-{emotion}.flac").write_bytes(clip)
            lines.append(f"{speaker}-{emotion}.flac,A text.,{emotion},{speaker},CC0-1.0")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    return tmp_path / "list.csv"


def test_a_model_is_measured_on_recordings_in_a_language_it_never_heard(
    place, tmp_path, recordings
):
    card = (place / "m" / "README.md").read_text()
    given = ("--language", "pl", "--out", tmp_path / "pl", "--work", place / "w")
    result = call("evaluate", place / "m", recordings, *given)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output.splitlines()[-1])
    assert set(found["metrics"]["m5ser"]) == {"all", "pl"}
    assert found["metrics"]["m5ser"]["pl"]["ua"] > 0.6
    assert np.sum(found["confusion"]["pl"], axis=1).tolist() == [2, 2, 2]
    assert "| pl | m5ser | 6 |" in (tmp_path / "pl" / "evaluation.md").read_text()
    assert (place / "m" / "README.md").read_text() == card


def test_a_model_is_measured_where_its_training_sets_are_not(place, tmp_path, recordings):
    shutil.copytree(place / "m", tmp_path / "m")
    (tmp_path / "m" / "training.yaml").unlink()  # where the sets lie: as a published model has none
    given = (tmp_path / "m", recordings, "--language", "pl", "--out", tmp_path / "pl")
    given += ("--work", tmp_path / "w")
    refused = call("evaluate", *given)
    assert refused.exit_code == 2
    assert "--no-baselines" in refused.output
    found = json.loads(call("evaluate", *given, "--no-baselines").output.splitlines()[-1])
    assert set(found["metrics"]) == {"m5ser"}
    assert found["metrics"]["m5ser"]["pl"]["clips"] == 6
    assert found["caveats"][0].startswith("Nobody looked whether the model met these clips")


def test_the_card_says_what_was_tested_and_what_was_left_out(place, tmp_path, recordings):
    shutil.copytree(place / "m", tmp_path / "m")
    lines = recordings.read_text().splitlines()
    bored = "anna-sad.flac,A text.,bored,anna,CC0-1.0"
    recordings.write_text("\n".join([*lines, bored]))
    given = (recordings, "--language", "pl", "--no-baselines", "--work", place / "w")
    result = call("evaluate", tmp_path / "m", *given)
    assert result.exit_code == 0, result.output
    card = (tmp_path / "m" / "README.md").read_text()
    assert "On the recordings of list.csv:" in card
    assert "test clips" not in card
    assert "- Rows that were left out: 1, label 'bored'." in card
    assert "- Nobody looked whether the model met these clips or speakers in training" in card


NOUNS = {"angry": "Anger", "happy": "happiness", "sad": "sadness"}


def in_nouns(recordings):
    """The same list with nouns for the emotions, but for one row."""
    head, first, *others = recordings.read_text().splitlines()
    lines = [re.sub(",(angry|happy|sad),", lambda m: f",{NOUNS[m[1]]},", line) for line in others]
    recordings.write_text("\n".join([head, first, *lines]))
    return recordings


def test_rows_of_another_word_are_told_before_the_figures(place, tmp_path, recordings):
    given = ("--language", "pl", "--no-baselines", "--work", place / "w", "--out", tmp_path / "o")
    result = call("evaluate", place / "m", in_nouns(recordings), *given)
    assert result.exit_code == 0, result.output
    unmapped, absent = json.loads(result.output.splitlines()[-1])["warnings"]
    assert unmapped.startswith("5 rows were left out for their label ('happiness' 2x, 'sadness' 2x")
    assert "and 1 measured" in unmapped
    assert "--labels THEIRS=OURS" in unmapped
    assert absent == "No clip is happy, sad: UA and F1 are of the other 1 of 3 emotions."
    assert absent in (tmp_path / "o" / "evaluation.md").read_text()


def test_a_list_s_own_words_are_mapped_to_the_model_s(place, tmp_path, recordings):
    given = ("--language", "pl", "--no-baselines", "--work", place / "w")
    plain = call("evaluate", place / "m", recordings, *given, "--out", tmp_path / "plain")
    labels = ("--labels", "anger=angry, Happiness=happy,sadness=sad")
    nouns = (in_nouns(recordings), *given, *labels, "--out", tmp_path / "nouns")
    result = call("evaluate", place / "m", *nouns)
    assert result.exit_code == 0, result.output
    ours, theirs = (json.loads(one.output.splitlines()[-1]) for one in (plain, result))
    assert theirs["metrics"] == ours["metrics"]
    assert theirs["warnings"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--labels", "anger"), "--labels 'anger': write the list's label and the emotion"),
        (("--labels", "anger=angri"), "emotions are: angry, disgusted"),
        (("--labels", "=angry"), "--labels '=angry': write"),
        (("--language", "pol"), "--language 'pol' is unknown: did you mean pl?"),
        (("--language", "Polish"), "did you mean pl?"),
        (("--language", "klingon"), "'klingon' is unknown: name the recordings' language by its"),
        (("--language", ""), "'' is unknown: name the recordings' language by its code"),
    ],
)
def test_what_is_said_of_a_list_is_checked(place, tmp_path, recordings, arguments, said):
    given = ("--no-baselines", "--work", place / "w", "--out", tmp_path / "o")
    result = call("evaluate", place / "m", recordings, *given, *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("language", "known", "right"),
    [
        ("de", ("deu", "en"), "deu"),
        ("deu", ("deu", "en"), None),
        ("en-IN", ("en",), "en"),
        ("ha", ("en",), None),
        ("gsw", (), None),
        ("gsw-CH", (), None),
        ("pl", ("de", "en"), None),
    ],
)
def test_a_language_is_said_as_the_model_s_sets_say_it(recordings, language, known, right):
    if right is None:
        evaluate.Tested(recordings, language).check(known)
        return
    with pytest.raises(InputError, match=f"did you mean {right}\\?"):
        evaluate.Tested(recordings, language).check(known)


def test_labels_are_of_a_list_alone(place):
    result = call("evaluate", place / "m", "--labels", "anger=angry", "--work", place / "w")
    assert result.exit_code == 2
    assert "--labels: maps the labels of a list" in result.output


def test_a_list_that_is_not_there_is_named(place, tmp_path):
    result = call("evaluate", place / "m", tmp_path / "pl.csv", "--language", "pl")
    assert result.exit_code == 2
    assert f"'{tmp_path / 'pl.csv'}' is not there: DATA is a dataset folder" in result.output


def test_a_language_is_of_a_list_alone(place):
    result = call("evaluate", place / "m", "--language", "pl", "--work", place / "w")
    assert result.exit_code == 2
    assert "--language: is that of a list of recordings" in result.output


def test_a_single_recording_can_be_evaluated(place, tmp_path, recordings):
    lines = recordings.read_text().splitlines()
    recordings.write_text("\n".join(lines[:2]))
    given = ("--language", "pl", "--no-baselines", "--out", tmp_path / "one", "--work", place / "w")
    result = call("evaluate", place / "m", recordings, *given)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "one" / "figures" / "embeddings.png").is_file()


def test_an_evaluation_says_what_chose_the_model_s_best_step(place, tmp_path):
    def seen(row):
        return {**row, "source_id": row["source_id"].replace("test", "validation")}

    write_set(tmp_path / "seen", seen, splits=("test",))
    given = (tmp_path / "seen", "--work", place / "w", "--out", tmp_path / "out")
    result = call("evaluate", place / "m", *given)
    assert result.exit_code == 0, result.output
    caveats = json.loads(result.output.splitlines()[-1])["caveats"]
    assert caveats[1].startswith("12 of the test's utterances were in validation, by which the")


def test_an_evaluation_says_what_the_model_has_met_before(place, tmp_path):
    def seen(row):
        return {**row, "source_id": row["source_id"].replace("test", "train")}

    write_set(tmp_path / "seen", seen, splits=("test",))
    given = (tmp_path / "seen", "--work", place / "w", "--out", tmp_path / "out")
    result = call("evaluate", place / "m", *given)
    assert result.exit_code == 0, result.output
    utterances, speakers, random = json.loads(result.output.splitlines()[-1])["caveats"]
    assert utterances.startswith("12 of the test's utterances were in the training: these")
    assert speakers.startswith("2 of the test's speakers were in the training")
    assert "random" in random
    assert utterances in (tmp_path / "out" / "evaluation.md").read_text()


def test_a_clip_without_voice_is_evaluated_beside_measured_prosody(place, tmp_path):
    hiss = encode_flac(np.random.default_rng(0).normal(0, 0.05, 8000).astype(np.float32), RATE)

    def silenced(row):
        mute = row["take_id"].startswith(("train-angry-anna-0", "test-sad-bela-1"))
        return {**row, "audio": {**row["audio"], "bytes": hiss}} if mute else row

    train = fresh_place(place, tmp_path, silenced)
    result = call(*train, "--set", "encoder.prosody=true")
    assert result.exit_code == 0, result.output
    result = call("evaluate", tmp_path / "m", "--work", tmp_path / "w")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output.splitlines()[-1])
    assert found["metrics"]["frames + MLP"]["all"]["clips"] == 24


def test_what_is_no_model_is_named(tmp_path):
    result = call("evaluate", tmp_path)
    assert result.exit_code == 2
    assert "is no finished model" in result.output


def test_a_recipe_of_a_model_that_is_none_is_told_with_its_folder(place, tmp_path):
    shutil.copytree(place / "m", tmp_path / "m")
    (tmp_path / "m" / "recipe.yaml").write_text("name: m\nstages: all\n")
    result = call("evaluate", tmp_path / "m")
    assert result.exit_code == 2
    assert f"recipe.yaml of '{tmp_path / 'm'}': stages" in " ".join(result.output.split())
