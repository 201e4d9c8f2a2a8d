"""`m5ser doctor` names what is missing and the command that gets it, and no token's value."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.doctor import bundled_recipes, check
from pipeline.engine import release


def doctor(*arguments, code=0):
    done = CliRunner().invoke(app, ["doctor", *arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


@pytest.fixture
def empty_caches(tmp_path, monkeypatch):
    """No weights anywhere; the Hub's library has read its own place at import."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def lacks_of(recipe, *overrides):
    found = check([recipe], overrides, Path())
    return {lack.what: lack.fix for lack in found.diagnoses[0].lacks}, found.runs


def test_the_embedded_recipe_can_run_where_m5ser_is_installed():
    found = json.loads(doctor("quickstart", "--json"))
    assert found["runs"]
    assert found["diagnoses"] == [{"recipe": "quickstart", "lacks": []}]
    assert found["machine"]["cores"] >= 1


def test_of_all_bundled_recipes_the_embedded_one_decides(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = json.loads(doctor("--json"))
    assert {one["recipe"] for one in found["diagnoses"]} == set(bundled_recipes())
    assert any(one["lacks"] for one in found["diagnoses"])
    assert found["runs"]


def test_a_missing_corpus_is_named_with_the_field(tmp_path):
    lacks, runs = lacks_of("ravdess", f"corpus.path={tmp_path}/gone")
    assert not runs
    [(what, fix)] = lacks.items()
    assert what == f"folder '{tmp_path}/gone' (corpus.path)"
    assert "Zenodo" in fix
    assert "--set corpus.path=PATH" in fix
    text = doctor("ravdess", "--set", f"corpus.path={tmp_path}/gone", code=1)
    assert "ravdess: lacks 1" in text


def test_a_list_that_can_not_be_read_is_a_lack_as_well(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("text,feeling\n")
    found = check(["own-recordings"], [f"corpus.path={path}"], tmp_path)
    said = [lack.what for lack in found.diagnoses[0].lacks]
    assert any("'list.csv' has no column emotion, speaker, licence" in one for one in said)


def test_missing_weights_come_with_the_command_that_gets_them(empty_caches):
    judge = "{engine: whisper, model: tiny}, {engine: dimensions, revision: abc}"
    lacks, _ = lacks_of("quickstart", f"judges=[{judge}]", "gates={}", "selection={}")
    name = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
    assert lacks[f"the weights of {name}, or a folder of this name"] == (
        f"hf download {name} --revision abc"
    )
    whisper = "python -c \"import whisper; whisper.load_model('tiny')\""
    assert lacks["the weights of Whisper tiny"] == whisper


def test_a_second_whisper_s_weights_are_looked_for_too(empty_caches):
    judge = "{engine: whisper, model: small-espeak, borderline: {model: base}}"
    lacks, _ = lacks_of("quickstart", f"judges=[{judge}]", "gates={}", "selection={}")
    assert list(lacks) == ["the weights of Whisper base"]


def test_a_comparator_that_is_no_model_of_the_hub_comes_with_its_address(empty_caches):
    judge = "{engine: autopcp, model: ., comparator: ./no/such, allow_pickle: true}"
    lacks, _ = lacks_of("quickstart", f"judges=[{judge}]", "gates={}", "selection={}")
    [(what, fix)] = lacks.items()
    assert what == "the folder './no/such' of AutoPCP's comparator"
    assert fix.startswith("curl -O https://")
    assert "AutoPCP-multilingual-v2.zip" in fix


def test_settings_without_weights_in_the_cache_are_not_enough(empty_caches, tmp_path):
    name = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
    kept = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
    snapshot = kept / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("a" * 40)
    (snapshot / "config.json").write_text("{}")
    recipe = ("quickstart", "judges=[{engine: dimensions}]", "gates={}", "selection={}")
    lacks, _ = lacks_of(*recipe)
    assert list(lacks.values()) == [f"hf download {name}"]
    (snapshot / "model.safetensors").write_bytes(b"")
    assert lacks_of(*recipe) == ({}, True)


def test_what_the_tests_make_is_one_lack_with_the_command_that_makes_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lacks, runs = lacks_of("m5ser-smoke")
    assert not runs
    assert lacks == {"what the tests make in checkpoints/": (
        "python -m tests.checkpoints checkpoints/"
    )}  # fmt: skip


def test_a_person_s_own_checkpoints_are_not_taken_for_the_tests(empty_caches):
    judge = "{engine: dimensions, model: ./checkpoints/mine}"
    lacks, _ = lacks_of("quickstart", f"judges=[{judge}]", "gates={}", "selection={}")
    assert list(lacks.values()) == ["correct the engine's field `model`"]


def test_an_empty_folder_is_no_comparator(empty_caches, tmp_path):
    judge = f"{{engine: autopcp, model: ., comparator: {tmp_path}, allow_pickle: true}}"
    lacks, _ = lacks_of("quickstart", f"judges=[{judge}]", "gates={}", "selection={}")
    assert [what for what in lacks if "comparator" in what]


def test_a_path_that_is_no_folder_is_told_apart_from_a_name(empty_caches):
    judge = "{engine: dimensions, model: ./no/such/folder}"
    lacks, _ = lacks_of("quickstart", f"judges=[{judge}]", "gates={}", "selection={}")
    [(what, fix)] = lacks.items()
    assert "./no/such/folder" in what
    assert fix == "correct the engine's field `model`"


@pytest.fixture
def without(monkeypatch):
    """Has a package not be installed."""

    def forget(missing):
        monkeypatch.setattr(
            "flows.doctor.release", lambda name: None if name == missing else release(name)
        )

    return forget


def test_a_missing_package_comes_with_its_extra(without):
    without("transformers")
    judge = "{engine: dimensions, model: .}"
    lacks, _ = lacks_of("quickstart", f"judges=[{judge}]", "gates={}", "selection={}")
    assert lacks["the package transformers"] in {
        "pip install -e '.[neural]' -c requirements/all.lock",
        "pip install -e '.[train]' -c requirements/all.lock",
    }


def test_the_watermark_s_package_comes_with_its_extra(without):
    without("audioseal")
    lacks, _ = lacks_of("quickstart", "watermark={engine: audioseal}")
    assert lacks["the package audioseal"] == (
        "pip install -e '.[watermark]' -c requirements/all.lock"
    )


def test_torchaudio_that_can_not_be_imported_is_told(monkeypatch):
    monkeypatch.setattr("pipeline.pretrained.torchaudio_cpu.loads", lambda: False)
    judge = "{engine: dimensions, model: .}"
    lacks, _ = lacks_of("quickstart", f"judges=[{judge}]", "gates={}", "selection={}")
    assert "python -m pipeline.pretrained.torchaudio_cpu" in lacks.values()


def test_a_disk_that_is_too_small_is_told(monkeypatch):
    monkeypatch.setattr("flows.doctor._free_bytes", lambda work: 1000)
    lacks, runs = lacks_of("quickstart")
    assert not runs
    [(what, fix)] = lacks.items()
    assert "of disk" in what
    assert "--work" in fix


def test_a_token_is_told_and_never_shown(monkeypatch):
    secret = "hf_" + "x" * 30
    monkeypatch.setenv("HF_TOKEN", secret)
    text = doctor("quickstart")
    assert re.search(r"Hub token\s*│ there is one", text)
    assert secret not in text + doctor("quickstart", "--json")


def test_a_watermark_s_weights_are_looked_for_too(empty_caches):
    lacks, _ = lacks_of("quickstart", "watermark={engine: audioseal}")
    assert lacks["the weights of facebook/audioseal, or a folder of this name"] == (
        "hf download facebook/audioseal"
    )


def test_a_translator_back_needs_the_models_of_the_other_direction(empty_caches):
    back = "{engine: back_translation, translator: {engine: marian, allow_pickle: true}}"
    lacks, _ = lacks_of("quickstart", "languages=[en,de]", f"text_judges=[{back}]", "text_gates={}")
    assert list(lacks.values()) == ["hf download Helsinki-NLP/opus-mt-de-en"]
