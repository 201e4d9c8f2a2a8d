"""What a VITS reads of a text, and what its folder may not do."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pipeline.pretrained.named import ModelError
from pipeline.records import Failure
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.vits.engine import Vits
from pipeline.synthesis.vits.of_transformers import TransformersVits
from pipeline.synthesis.vits.parts import UnknownLetters
from tests.checkpoints.speech import tiny_vits


def request(text: str) -> SpeechRequest:
    return SpeechRequest(text, "de", "speaker-0", 0)


@pytest.mark.parametrize("name", ["mms", "vits"])
def test_a_number_that_it_would_leave_out_is_refused(
    checkpoint: Callable[[str], Path], name: str
) -> None:
    synthesize = Vits(model={"de": str(checkpoint(name))}).load()
    failed, spoken = synthesize([request("um ９ Uhr"), request("um neun Uhr")])
    assert isinstance(failed, Failure)
    assert "can't read: ９" in failed.error
    assert isinstance(spoken, Speech)


def test_a_vowel_sign_that_it_lacks_is_not_left_out_in_silence(tmp_path: Path) -> None:
    folder = tiny_vits(tmp_path, alphabet="\x00कतन")
    synthesize = Vits(model={"hi": str(folder)}).load()
    texts = ("कितना तन", "कतन तन", "कतन\ufe0f तन")
    failed, spoken, selected = synthesize([SpeechRequest(t, "hi", "speaker-0", 0) for t in texts])
    assert isinstance(failed, Failure)
    assert failed.error.endswith("can't read: \u093e\u093f")
    assert isinstance(spoken, Speech)
    assert isinstance(selected, Speech)


@pytest.fixture
def reading(checkpoint: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """Makes a model folder of transformers with other settings of its tokenizer, and a ţ for ß."""

    def make(**settings: object) -> Path:
        folder = tmp_path / "model"
        shutil.copytree(checkpoint("mms"), folder)
        config = json.loads((folder / "tokenizer_config.json").read_text())
        (folder / "tokenizer_config.json").write_text(json.dumps(config | settings))
        letters = json.loads((folder / "vocab.json").read_text())
        letters["ţ"] = letters.pop("ß")
        (folder / "vocab.json").write_text(json.dumps(letters))
        return folder

    return make


def test_romanian_is_read_with_the_letter_that_the_library_puts_for_its_own(
    reading: Callable[..., Path],
) -> None:
    synthesize = Vits(model={"ro": str(reading(language="ron"))}).load()
    texts = ("Țin minte.", "ţin minte.", "Țin Maß.")
    said, written, failed = synthesize([SpeechRequest(t, "ro", "speaker-0", 0) for t in texts])
    assert isinstance(said, Speech)
    assert isinstance(written, Speech)
    assert np.array_equal(said.samples, written.samples)
    assert isinstance(failed, Failure)
    assert failed.error.endswith("can't read: ß")


class Romanizer:
    """In the place of the package uroman's: counts how often it is opened."""

    opened = 0

    def __init__(self) -> None:
        type(self).opened += 1

    def romanize_string(self, text: str) -> str:
        return text.replace("네", "ne").replace("스물", "20")


def test_a_romanizer_is_opened_once_and_what_it_writes_is_looked_at(
    reading: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModuleType("uroman")
    package.__spec__ = ModuleSpec("uroman", None)
    monkeypatch.setattr(package, "Uroman", Romanizer, raising=False)
    monkeypatch.setitem(sys.modules, "uroman", package)
    monkeypatch.setattr(Romanizer, "opened", 0)
    folder = reading(is_uroman=True)
    letters = json.loads((folder / "vocab.json").read_text())
    letters["#"] = letters.pop("0")
    (folder / "vocab.json").write_text(json.dumps(letters))
    vits = TransformersVits(folder, "cpu", "ko")
    assert vits.tokens("네, 네!") == vits.tokens("ne, ne!")
    with pytest.raises(UnknownLetters, match="^0$"):
        vits.tokens("네, 스물!")
    assert Romanizer.opened == 1


def test_a_model_of_sounds_is_refused_where_the_library_would_read_english(
    reading: Callable[..., Path],
) -> None:
    vits = Vits(model={"de": str(reading(phonemize=True))})
    with pytest.raises(ModelError, match=r"synthesis.model.de: .* American English alone; name a"):
        vits.load()([request("ja")])


@pytest.fixture
def strange(checkpoint: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """Makes a model folder of coqui-tts with other settings in a section of its config."""

    def make(section: str, **settings: object) -> Path:
        folder = tmp_path / "model"
        shutil.copytree(checkpoint("vits"), folder)
        config = json.loads((folder / "config.json").read_text())
        config[section] |= settings
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    return make


def test_a_folder_of_coqui_runs_no_class_of_its_own(strange: Callable[..., Path]) -> None:
    folder = strange("characters", characters_class="stranger.Letters")
    with pytest.raises(ModelError, match=r"wants the class 'stranger.Letters' .* code of its own"):
        Vits(model={"de": str(folder)}).load()([request("ja")])


def test_a_folder_of_coqui_reads_no_file_beyond_it(strange: Callable[..., Path]) -> None:
    folder = strange(
        "model_args",
        use_speaker_embedding=True,
        speakers_file="http://127.0.0.1:9/speakers.json",
        speaker_encoder_model_path="http://127.0.0.1:9/encoder.pth",
    )
    with pytest.raises(ModelError, match=r"No such file.*speakers.json"):
        Vits(model={"de": str(folder)}).load()([request("ja")])


def test_a_revision_of_a_language_without_a_model_is_no_error() -> None:
    digest = "0" * 64
    assert Vits(model={"de": "name"}, revisions={"fr": digest}).fingerprint()


def test_a_language_more_leaves_the_others_speech_as_it_is() -> None:
    models = {"de": "a/german", "fr": "a/french"}
    both = Vits(model=models, revisions={"de": "0" * 40, "fr": "1" * 40})
    alone = Vits(model={"de": "a/german"}, revisions={"de": "0" * 40})
    assert both.fingerprint_for("de") == alone.fingerprint_for("de")
    assert both.fingerprint_for("fr") != both.fingerprint_for("de")
    newer = both.model_copy(update={"revisions": {**both.revisions, "fr": "2" * 40}})
    assert newer.fingerprint_for("de") == both.fingerprint_for("de")
    assert newer.fingerprint_for("fr") != both.fingerprint_for("fr")
