"""What a VITS reads of a text, and what its folder may not do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.pretrained.named import ModelError
from pipeline.records import Failure
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.vits.engine import Vits


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
