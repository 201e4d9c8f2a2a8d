"""A bad checkpoint is a sentence in every engine that hears or speaks, and never runs its code."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.judges.autopcp import AutoPcp
from pipeline.judges.base import Judge, JudgeContext
from pipeline.judges.dimensions import Dimensions
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.wavlm import WavlmSpeaker
from pipeline.pretrained.named import ModelError
from pipeline.synthesis.base import SpeechRequest, Synthesizer
from pipeline.synthesis.seamless import SeamlessSpeech
from pipeline.synthesis.vits.engine import Vits
from pipeline.synthesis.xtts.engine import Xtts
from tests.checkpoints import audio, speech

Make = Callable[..., Judge | Synthesizer]


def emotion(model: str, **settings: Any) -> SpeechEmotion:
    return SpeechEmotion(model=model, labels=dict.fromkeys(audio.FOUR, "happy"), **settings)


def autopcp(model: str, **settings: Any) -> AutoPcp:
    comparator = str(Path(model).with_name("comparator"))
    settings["allow_pickle"] = True  # its comparator is a pickle
    return AutoPcp(model=model, layer=1, comparator=comparator, **settings)


def vits(model: str, **settings: Any) -> Vits:
    return Vits(model={"de": model}, **settings)


COQUI = ("xtts", "vits")
RATES = ("sampling_rate", "sample_rate", "output_sample_rate")
WRITERS: Mapping[str, tuple[Callable[[Path], Any], Make]] = {
    "emotion-wav2vec2": (lambda to: audio.write_classifier(to, "wav2vec2", audio.FOUR), emotion),
    "emotion-hubert": (lambda to: audio.write_classifier(to, "hubert", audio.FOUR), emotion),
    "emotion-wavlm": (lambda to: audio.write_classifier(to, "wavlm", audio.FOUR), emotion),
    "emotion-whisper": (lambda to: audio.write_whisper_classifier(to, audio.FOUR), emotion),
    "dimensions": (audio.write_regressor, Dimensions),
    "wavlm": (audio.write_x_vectors, WavlmSpeaker),
    "autopcp": (lambda to: audio.write_autopcp(to, to.with_name("comparator")), autopcp),
    "xtts": (speech.tiny_xtts, Xtts),
    "vits": (speech.tiny_coqui_vits, vits),
    "mms": (speech.tiny_vits, vits),
    "seamless": (speech.tiny_seamless_speech, SeamlessSpeech),
}


class Payload:
    """A pickle that makes a folder when it is opened by a reader that trusts it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.path,)


class Bad:
    """A copy of an engine's checkpoint, to be spoilt, and what its code would make."""

    def __init__(self, name: str, original: Path, tmp_path: Path) -> None:
        self.name = name
        self.folder = shutil.copytree(original, tmp_path / "model")
        if name == "autopcp":
            shutil.copytree(original.with_name("comparator"), tmp_path / "comparator")
        self.made = tmp_path / "made"
        self.weights = self.folder / "model.safetensors"
        self.pickle = self.folder / ("model.pth" if name in COQUI else "pytorch_model.bin")

    def load(self, **settings: Any) -> None:
        """Load the engine as far as it takes to have its network."""
        engine = WRITERS[self.name][1](model=str(self.folder), device="cpu", **settings)
        if isinstance(engine, Judge):
            engine.load(JudgeContext(("en",)))
        else:
            request = SpeechRequest("Ja.", "de", engine.voice_for("anna", "female", ()), 0)
            engine.load()([request])


@pytest.fixture(scope="module")
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param) / "model"
    WRITERS[request.param][0](folder)
    return folder


@pytest.fixture
def bad(request: pytest.FixtureRequest, original: Path, tmp_path: Path) -> Bad:
    return Bad(request.node.callspec.params["original"], original, tmp_path)


each_engine = pytest.mark.parametrize("original", WRITERS, indirect=True)


def cut_weights(bad: Bad) -> None:
    content = bad.weights.read_bytes()
    bad.weights.write_bytes(content[: len(content) // 2])


def other_size(bad: Bad) -> None:
    tensors = load_file(bad.weights)
    name = max(tensors, key=lambda one: tensors[one].ndim)
    tensors[name] = torch.cat([tensors[name], tensors[name]])
    save_file(tensors, bad.weights, {"format": "pt"})


def no_weights_inside(bad: Bad) -> None:
    save_file({"other": torch.zeros(1)}, bad.weights, {"format": "pt"})


def weights_that_are_no_numbers(bad: Bad) -> None:
    tensors = load_file(bad.weights)
    broken = {name: one * float("nan") for name, one in tensors.items() if one.is_floating_point()}
    save_file({**tensors, **broken}, bad.weights, {"format": "pt"})


def cut_config(bad: Bad) -> None:
    config = bad.folder / "config.json"
    config.write_text(config.read_text()[:-20])


def config_of_a_list(bad: Bad) -> None:
    (bad.folder / "config.json").write_text("[]")


def code_in_a_pickle(bad: Bad) -> None:
    bad.weights.unlink()
    torch.save({"model": {"weight": Payload(bad.made)}}, bad.pickle)


def code_in_an_old_pickle(bad: Bad) -> None:
    bad.weights.unlink()
    bad.pickle.write_bytes(pickle.dumps({"model": Payload(bad.made)}))


def weights_that_are_no_tensors(bad: Bad) -> None:
    bad.weights.unlink()
    torch.save({"model": {"weight": 1.0}}, bad.pickle)


FAULTS = (
    cut_weights,
    other_size,
    no_weights_inside,
    weights_that_are_no_numbers,
    cut_config,
    config_of_a_list,
    code_in_a_pickle,
    code_in_an_old_pickle,
    weights_that_are_no_tensors,
)


@each_engine
@pytest.mark.parametrize("spoil", FAULTS)
def test_what_is_wrong_is_a_sentence_and_no_code_runs(bad: Bad, spoil: Callable[[Bad], None]):
    spoil(bad)
    with pytest.raises(ModelError) as error:
        bad.load(allow_pickle=True)
    assert str(bad.folder) in str(error.value)
    assert "\n" not in str(error.value)
    assert not bad.made.exists()


@each_engine
def test_a_whole_checkpoint_loads(bad: Bad):
    bad.load()


@each_engine
def test_a_pickle_beside_other_safetensors_is_left_closed(bad: Bad):
    torch.save({"model": {"weight": Payload(bad.made)}}, bad.pickle)
    bad.weights.rename(bad.folder / "other.safetensors")
    if bad.name == "vits":  # reads safetensors of any name
        bad.load()
    else:
        with pytest.raises(ModelError):
            bad.load()
    assert not bad.made.exists()


@pytest.mark.parametrize("original", [name for name in WRITERS if name not in COQUI], indirect=True)
def test_python_in_a_folder_is_not_run_whatever_is_answered(bad: Bad, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    (bad.folder / "own.py").write_text(f"import os\nos.mkdir({str(bad.made)!r})\n")
    kinds = ("AutoConfig", "AutoModel", "AutoFeatureExtractor", "AutoTokenizer")
    auto = {"auto_map": dict.fromkeys(kinds, "own.Own")}
    for name, changes in {
        "config.json": {"model_type": "own"},
        "preprocessor_config.json": {"feature_extractor_type": "Own"},
        "tokenizer_config.json": {"tokenizer_class": "Own"},
    }.items():
        file = bad.folder / name
        if file.is_file():
            file.write_text(json.dumps({**json.loads(file.read_text()), **changes, **auto}))
    with pytest.raises(ModelError):
        bad.load()
    assert not bad.made.exists()


@pytest.mark.parametrize("original", ["mms", "seamless", "xtts"], indirect=True)
@pytest.mark.parametrize("rate_hz", [0, 1_000_000_000])
def test_a_rate_that_no_speech_has_is_refused(bad: Bad, rate_hz: int):
    config = json.loads((bad.folder / "config.json").read_text())
    holder = config.get("audio", config)
    holder |= {name: rate_hz for name in holder if name in RATES}
    (bad.folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=f"speaks at {rate_hz} Hz, and speech has 8000 to"):
        bad.load()


@pytest.mark.parametrize("original", ["mms"], indirect=True)
def test_a_voice_that_would_never_end_is_refused(bad: Bad):
    config = json.loads((bad.folder / "config.json").read_text())
    (bad.folder / "config.json").write_text(json.dumps({**config, "speaking_rate": 0.0}))
    with pytest.raises(ModelError, match=r"speaking_rate 0.0 in its config.json, and would never"):
        bad.load()


def test_pickles_are_closed_without_leave(tmp_path):
    speech.tiny_xtts(tmp_path / "xtts", pickled=True)
    with pytest.raises(ModelError, match=r"no safetensors \(model\.safetensors\).*allow_pickle"):
        Xtts(model=str(tmp_path / "xtts"), device="cpu").load()
    Xtts(model=str(tmp_path / "xtts"), device="cpu", allow_pickle=True).load()


def test_weights_that_coqui_tts_would_not_look_for_are_named(tmp_path):
    folder = speech.tiny_coqui_vits(tmp_path / "vits")
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save({"model": tensors}, folder / "model.pt")
    engine = vits(model=str(folder), device="cpu", allow_pickle=True)
    with pytest.raises(ModelError, match=r"neither \.safetensors nor \.pth"):
        engine.load()([SpeechRequest("Ja.", "de", "speaker-0", 0)])
