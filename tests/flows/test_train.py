"""`m5ser train` as a person calls it."""

import json
import shutil

from model.export import load_trained
from model.recipe.file import load_training_recipe
from tests.flows.calling import LEARNING, call, fresh_place
from tests.model.tiny import TINY, write_llama, write_set, write_whisper


def test_a_trained_folder_has_all_that_its_model_needs(place):
    names = {path.name for path in (place / "m").iterdir()}
    wanted = {"model.safetensors", "recipe.yaml", "config.json", "README.md", "metrics.csv"}
    assert wanted | {"curves.png"} <= names
    card = (place / "m" / "README.md").read_text()
    assert "The encoder is random" in card
    assert str(place) not in card


def test_a_card_counts_each_clip_that_was_trained_on_once(place, tmp_path):
    train = (*fresh_place(place, tmp_path, speeds=[0.9, 1.0]), "--set", "stages.0.languages=[en]")
    result = call(*train)
    assert result.exit_code == 0, result.output
    assert "Trained on 12 clips of set;" in (tmp_path / "m" / "README.md").read_text()
    assert json.loads(result.output.splitlines()[-1])["clips"] == 12


def test_what_a_label_lacks_is_said_before_the_training_and_rows_count_once(place, tmp_path):
    def bored(row):
        return {**row, "emotion": "disgusted"} if row["emotion"] == "sad" else row

    train = fresh_place(place, tmp_path, bored, speeds=[0.9, 1.0])
    result = call(*train, "--set", "labels=[angry, happy, sad]")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output.splitlines()[-1])
    assert found["dropped"] == {"label 'disgusted'": 8}
    untaught, unasked, left_out = found["warnings"]
    assert untaught.startswith("no clip of the training is sad, so nothing teaches what that is")
    assert unasked == "no clip of validation is sad: the best step is chosen without"
    assert left_out == "of validation 8 rows were left out: label 'disgusted'"
    assert " ".join(result.stderr.split()).index(untaught) == len("warning: ")


def test_a_warm_up_without_end_is_said_before_the_training(place, tmp_path):
    train = fresh_place(place, tmp_path)
    result = call(*train, "--set", "stages.0.warmup_steps=2")
    assert result.exit_code == 0, result.output
    [warning] = json.loads(result.output.splitlines()[-1])["warnings"]
    assert warning.startswith("stages.align: the learning rate still rises when its 2 steps end")


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


def test_a_recipe_that_came_to_nothing_leaves_its_folder_to_the_corrected_one(place, tmp_path):
    given = ("--out", tmp_path / "m", "--work", place / "w", "--set", "stages.0.steps=1")
    given += ("--set", "stages.1.steps=1")
    wrong = ("--set", f"data.sets.0.path={tmp_path / 'nowhere'}")
    assert call("train", place / "recipe.yaml", *given, *wrong).exit_code == 2
    result = call("train", place / "recipe.yaml", *given)
    assert result.exit_code == 0, result.output


def test_a_llama_that_can_t_be_had_is_told_of_before_anything_is_encoded(place, tmp_path):
    (tmp_path / "llama").mkdir()
    (tmp_path / "llama" / "model.safetensors").touch()
    recipe = json.loads((place / "recipe.yaml").read_text())
    recipe["language_model"] = {"engine": "pretrained", "model": str(tmp_path / "llama")}
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    work = ("--work", tmp_path / "w")
    result = call("train", tmp_path / "recipe.yaml", "--out", tmp_path / "m", *work)
    assert result.exit_code == 2
    assert f"language_model.model: '{tmp_path / 'llama'}'" in result.output
    assert not (tmp_path / "w").exists()


def test_an_empty_split_is_told_of_before_the_encoder_is_loaded(place, tmp_path, monkeypatch):
    def only_train(row):
        return row if row["source_id"].startswith("train") else None

    train = fresh_place(place, tmp_path, only_train)
    monkeypatch.setattr("flows.train.load_encoder", None)
    result = call(*train)
    assert result.exit_code == 2
    assert "no clip in 'validation' (train 24, validation 0, test 0): build them with other" in (
        result.output
    )
    assert "by: [speaker]" in result.output
    assert not (tmp_path / "w").exists()


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
    assert "12 utterances are in training and in validation, 'train-angry-anna-0." in (
        result.output
    )
