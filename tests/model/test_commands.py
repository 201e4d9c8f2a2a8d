"""train, evaluate and predict as a person calls them."""

import io
import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
import yaml
from rich.console import Console
from typer.testing import CliRunner

from flows.evaluate import Predictions
from flows.train_cli import register
from model.encoder import load_encoder
from model.export import load_trained
from model.recipe import WhisperEncoder
from model.recipe_file import load_training_recipe
from pipeline.audio import encode_flac
from pipeline.emotions import EMOTIONS
from pipeline.errors import InputError
from pipeline.settings_file import BadRecipe
from tests.model.tiny import RATE, TINY, tone, write_llama, write_set, write_whisper

LEARNING = {"steps": 40, "batch_size": 12, "learning_rate": 1e-2, "losses": {"auxiliary": 0.5}}


def guarded(action):
    try:
        return action()
    except InputError as bad:
        typer.echo(str(bad))
        raise typer.Exit(2) from bad


def emit(value, as_json, show):
    typer.echo(json.dumps(value))


def call(*arguments):
    app = typer.Typer()
    register(app, guarded, emit)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A trained model, as the command leaves it."""
    folder = tmp_path_factory.mktemp("place")
    write_set(folder / "set")
    data = {"sets": [{"engine": "folder", "path": str(folder / "set")}]}
    stages = [{"name": name, **LEARNING} for name in ("align", "transfer")]
    recipe = {**TINY, "data": data, "stages": stages}
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    result = call("train", folder / "recipe.yaml", "--out", folder / "m", "--work", folder / "w")
    assert result.exit_code == 0, result.output
    return folder


def test_a_trained_folder_has_all_that_its_model_needs(place):
    names = {path.name for path in (place / "m").iterdir()}
    wanted = {"model.safetensors", "recipe.yaml", "config.json", "README.md", "metrics.csv"}
    assert wanted | {"curves.png"} <= names
    card = (place / "m" / "README.md").read_text()
    assert "The encoder is random" in card
    assert str(place) not in card


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
    assert set(readable["align"]) == {"language", "speaker"}
    assert json.loads((place / "m" / "evaluation.json").read_text()) == found
    for name in ("confusion", "embeddings"):
        assert (place / "m" / "figures" / f"{name}.png").read_bytes()[1:4] == b"PNG"
    ua = f"{100 * found['metrics']['m5ser']['de']['ua']:.1f}"
    assert f"| de | m5ser | 12 | {ua} |" in (place / "m" / "evaluation.md").read_text()
    assert f"| de | m5ser | 12 | {ua} |" in (place / "m" / "README.md").read_text()


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


def test_an_ablation_prints_every_arm_by_language(place, tmp_path):
    recipe = json.loads((place / "recipe.yaml").read_text())
    losses = {"supervised_contrast": 0.5, "adversary": 0.1}
    recipe["stages"] = [{"name": "transfer", "steps": 2, "batch_size": 12, "losses": losses}]
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    arguments = ("--out", tmp_path / "a", "--work", place / "w")
    result = call("ablate", tmp_path / "recipe.yaml", *arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output.splitlines()[-1])
    assert list(found) == ["english", "languages", "contrast", "adversary", "unfiltered"]
    for arm in found.values():
        assert set(arm["metrics"]) == {"all", "en", "de"}
        low, high = arm["metrics"]["all"]["ua_interval"]
        assert low <= arm["metrics"]["all"]["ua"] <= high
    table = (tmp_path / "a" / "ablation.md").read_text()
    assert "| + contrast | 24 |" in table
    assert "| English only | 12 |" in table


def test_prediction_in_batches_is_that_of_single_files(place, tmp_path):
    paths = [tmp_path / f"{number}.flac" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(encode_flac(tone("sad", "en", "anna", 3 * number), RATE))
    together = json.loads(call("predict", place / "m", *paths).output.splitlines()[-1])
    arguments = (place / "m", *paths, "--batch-size", 1, "--device", "cpu")
    alone = json.loads(call("predict", *arguments).output.splitlines()[-1])
    for path in map(str, paths):
        assert together[path] == pytest.approx(alone[path], abs=1e-3)


def test_prediction_takes_any_file_and_any_labels(place, tmp_path):
    path = tmp_path / "a.flac"
    path.write_bytes(encode_flac(tone("sad", "en", "anna", 5), RATE))
    found = json.loads(call("predict", place / "m", path).output.splitlines()[-1])[str(path)]
    assert max(found, key=found.get) == "sad"
    others = call("predict", place / "m", path, "--labels", "calm, bored")
    assert set(json.loads(others.output.splitlines()[-1])[str(path)]) == {"calm", "bored"}


def test_a_long_file_is_heard_to_its_end(place, tmp_path):
    """A file of two windows has the geometric mean of what each of them has alone."""
    parts = [tone(emotion, "en", "anna", 500)[: 20 * RATE] for emotion in ("sad", "happy")]
    clips = {"sad": parts[0], "happy": parts[1], "long": np.concatenate(parts)}
    for name, samples in clips.items():
        (tmp_path / f"{name}.flac").write_bytes(encode_flac(samples, RATE))
    paths = [tmp_path / f"{name}.flac" for name in clips]
    found = json.loads(call("predict", place / "m", *paths).output.splitlines()[-1])
    sad, happy, long = (found[str(path)] for path in paths)
    assert long != pytest.approx(sad, abs=0.05)
    expected = {label: (sad[label] * happy[label]) ** 0.5 for label in sad}
    total = sum(expected.values())
    assert long == pytest.approx({k: v / total for k, v in expected.items()}, abs=0.02)


def test_a_model_trained_on_a_path_of_this_machine_tells_no_one(place):
    recipe = load_training_recipe(str(place / "m" / "recipe.yaml"))
    assert [one.path for one in recipe.data.sets] == ["set"]
    assert str(place) not in (place / "m" / "recipe.yaml").read_text()
    assert [one.path for one in load_trained(place / "m").recipe.data.sets] == [str(place / "set")]


def test_no_published_file_tells_where_sets_and_base_models_lie(place, tmp_path):
    secret = tmp_path / "ada"
    shutil.copytree(place / "set" / "data" / "de", secret / "tones" / "data")
    bases = {
        "encoder": {"engine": "whisper", "model": write_whisper(secret / "heard.safetensors")},
        "language_model": {"engine": "pretrained", "model": write_llama(secret / "llama")},
        "data": {"sets": [{"engine": "datasets", "name": str(secret / "tones")}]},
        "stages": [{**LEARNING, "name": "align", "steps": 1}],
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps({**TINY, **bases}))
    model, work = tmp_path / "m", ("--work", tmp_path / "w")
    for given in (("train", tmp_path / "recipe.yaml", "--out", model), ("evaluate", model)):
        result = call(*given, *work)
        assert result.exit_code == 0, result.output
    texts = {
        name: (model / name).read_text() for name in ("recipe.yaml", "README.md", "config.json")
    }
    assert not [name for name, text in texts.items() if "ada" in text]
    assert "openai-whisper heard.safetensors" in texts["README.md"]
    assert "| language model | llama |" in texts["README.md"]
    assert "clips of tones;" in texts["README.md"]
    (model / "training.yaml").unlink()
    elsewhere = call("evaluate", model, *work)
    assert elsewhere.exit_code == 2
    assert "'llama' is no folder here" in elsewhere.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--labels", "calm"), "name two or more"),
        (("--labels", "calm,,sad"), "name two or more"),
        (("--labels", ""), "name two or more"),
        (("--device", "mps"), "has no 'mps': say cpu or auto"),
        ((), "can't be decoded: Format not recognised."),
    ],
)
def test_prediction_says_what_is_wrong(place, tmp_path, arguments, message):
    path = tmp_path / "a.flac"
    good = encode_flac(tone("sad", "en", "anna", 5), RATE)
    path.write_bytes(good if arguments else b"")
    result = call("predict", place / "m", path, *arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_prediction_names_a_path_that_is_no_file(place, tmp_path):
    result = call("predict", place / "m", tmp_path)
    assert result.exit_code == 2
    assert result.output.startswith(f"'{tmp_path}' can't be read: Is a directory")


def printed(files, **console):
    console = Console(width=80, file=io.StringIO(), **console)
    probabilities = np.full((len(files), len(EMOTIONS)), 1 / len(EMOTIONS))
    Predictions(tuple(files), EMOTIONS, probabilities).print_to(console)
    return console.file.getvalue().splitlines()


def test_a_narrow_table_cuts_neither_files_nor_labels():
    name = "/long/" * 20 + "file.wav"
    lines = printed([name], force_terminal=True, color_system=None, highlight=False)
    assert lines[0].split() == ["file", "emotion", *EMOTIONS]
    assert "".join(line[: lines[0].index("emotion")].strip() for line in lines[1:]) == name


def test_predictions_that_are_piped_are_a_line_a_file():
    names = ["/long/" * 40 + "a [red] one.wav", "b [dim].wav", "c.wav"]
    header, *lines = printed(names)
    assert header.split() == ["file", "emotion", *EMOTIONS]
    assert [line.rsplit(maxsplit=1 + len(EMOTIONS))[0] for line in lines] == names
    assert {line.split()[-1] for line in lines} == {"0.14"}


def test_probabilities_as_json_have_four_places():
    found = Predictions(("a",), ("x", "y"), np.array([[0.12345678, 0.87654321]], np.float32))
    assert json.dumps(found.as_dict()) == '{"a": {"x": 0.1235, "y": 0.8765}}'


def test_a_single_recording_can_be_evaluated(place, tmp_path, recordings):
    lines = recordings.read_text().splitlines()
    recordings.write_text("\n".join(lines[:2]))
    given = ("--language", "pl", "--no-baselines", "--out", tmp_path / "one", "--work", place / "w")
    result = call("evaluate", place / "m", recordings, *given)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "one" / "figures" / "embeddings.png").is_file()


def test_a_model_whose_encoder_was_on_a_gpu_is_asked_on_a_cpu(place, tmp_path):
    path = write_whisper(tmp_path / "whisper.safetensors")
    settings = WhisperEncoder(model=path, device="mps")
    with pytest.raises(InputError, match="has no 'mps'"):
        load_encoder(settings)
    shutil.copytree(place / "m", tmp_path / "m")
    recipe = (tmp_path / "m" / "recipe.yaml").read_text()
    held = {**yaml.safe_load(recipe), "encoder": settings.model_dump(mode="json")}
    (tmp_path / "m" / "recipe.yaml").write_text(yaml.safe_dump(held))
    clip = encode_flac(tone("sad", "en", "anna", 5), RATE)
    (tmp_path / "a.flac").write_bytes(clip)
    result = call("predict", tmp_path / "m", tmp_path / "a.flac", "--device", "cpu")
    assert result.exit_code == 0, result.output


def test_a_recipe_that_came_to_nothing_leaves_its_folder_to_the_corrected_one(place, tmp_path):
    given = ("--out", tmp_path / "m", "--work", place / "w", "--set", "stages.0.steps=1")
    given += ("--set", "stages.1.steps=1")
    wrong = ("--set", f"data.sets.0.path={tmp_path / 'nowhere'}")
    assert call("train", place / "recipe.yaml", *given, *wrong).exit_code == 2
    result = call("train", place / "recipe.yaml", *given)
    assert result.exit_code == 0, result.output


def test_a_training_never_writes_over_a_dataset_or_a_model_from_elsewhere(place, tmp_path):
    shutil.copytree(place / "m", tmp_path / "m")
    (tmp_path / "m" / "training.yaml").unlink()
    held = (tmp_path / "m" / "model.safetensors").read_bytes()
    result = call("train", place / "recipe.yaml", "--out", tmp_path / "m", "--work", place / "w")
    assert result.exit_code == 2
    assert "wasn't trained here" in result.output
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == held


def test_a_training_that_diverges_says_where(place, tmp_path):
    arguments = ("--work", place / "w", "--set", "stages.0.learning_rate=1e30")
    result = call("train", place / "recipe.yaml", "--out", tmp_path / "m", *arguments)
    assert result.exit_code == 1
    assert "stage 'align', step" in result.output


def test_another_recipe_is_not_trained_on_in_the_same_folder(place):
    arguments = ("--out", place / "m", "--work", place / "w", "--set", "seed=5")
    result = call("train", place / "recipe.yaml", *arguments)
    assert result.exit_code == 2
    assert "holds the training of another recipe" in result.output


def fresh_place(place, tmp_path, change=lambda row: row, **data):
    """A recipe of a set of its own, untrained."""
    write_set(tmp_path / "set", change)
    recipe = json.loads((place / "recipe.yaml").read_text())
    recipe["data"] = {"sets": [{"engine": "folder", "path": str(tmp_path / "set")}], **data}
    recipe["stages"] = [{**recipe["stages"][0], "steps": 2}]
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    return ("train", tmp_path / "recipe.yaml", "--out", tmp_path / "m", "--work", tmp_path / "w")


def test_a_set_that_was_built_anew_is_not_trained_on_in_the_same_folder(place, tmp_path):
    train = fresh_place(place, tmp_path)
    for _ in range(2):
        assert call(*train).exit_code == 0
    weights = (tmp_path / "m" / "model.safetensors").read_bytes()
    shutil.rmtree(tmp_path / "set")
    others = {"angry": "sad", "sad": "happy", "happy": "angry"}
    write_set(tmp_path / "set", lambda row: {**row, "emotion": others[row["emotion"]]})
    result = call(*train)
    assert result.exit_code == 2
    assert "was trained on other clips: a set has changed since" in result.output
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == weights


def test_what_is_trained_on_chooses_no_checkpoint(place, tmp_path):
    result = call(
        *fresh_place(
            place,
            tmp_path,
            lambda row: {**row, "source_id": row["source_id"].replace("validation", "train")},
        )
    )
    assert result.exit_code == 2
    assert "12 utterances are in training and in validation, 'tones/train-angry-anna-0'" in (
        result.output
    )


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


@pytest.mark.parametrize("name", ["quickstart", "m5ser"])
def test_the_bundled_training_recipes_are_valid(name):
    recipe = load_training_recipe(f"recipes/training/{name}.yaml")
    assert recipe == load_training_recipe(name)
    assert recipe.name == name


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("labels=[angry]", "labels"),
        ("labels=[sad, '']", "labels"),
        ("labels=[sad, sad]", "names an emotion more than once"),
        ("prompts=[no speech]", "has no single {speech}"),
        ("encoder.engine=wav2vec", "unknown engine 'wav2vec'"),
        ("stages.0.losses={word: 0}", "all losses are switched off"),
        ("language_model={engine: pretrained, model: a/b}", "revision is missing: 'a/b' is no"),
        ("language_model={engine: pretrained, model: a/b, revision: main}", "revision"),
        ("data.sets=[{engine: datasets, name: a/b, revision: main}]", "revision"),
    ],
)
def test_a_wrong_recipe_is_explained(override, message):
    with pytest.raises(BadRecipe, match=message):
        load_training_recipe("quickstart", [override])
