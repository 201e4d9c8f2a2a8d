"""Loading says nothing on the terminal, and leaves transformers as talkative as it was."""

from __future__ import annotations

import pytest
from transformers.utils import logging

from pipeline.judges.base import JudgeContext
from pipeline.judges.emotion import SpeechEmotion
from pipeline.pretrained.quiet import quiet
from pipeline.pretrained.transformer import open_model
from pipeline.synthesis.vits.of_coqui import CoquiVits
from tests.checkpoints import audio
from tests.checkpoints.speech import tiny_coqui_vits, tiny_vits


@pytest.fixture(params=[True, False], ids=["bars", "no-bars"])
def bars(request):
    before = logging.is_progress_bar_enabled()
    (logging.enable_progress_bar if request.param else logging.disable_progress_bar)()
    yield request.param
    (logging.enable_progress_bar if before else logging.disable_progress_bar)()


def test_it_is_as_talkative_after_as_before_whatever_happens(bars):
    before = logging.get_verbosity()
    with pytest.raises(ZeroDivisionError), quiet():
        assert not logging.is_progress_bar_enabled()
        assert logging.get_verbosity() == logging.ERROR
        raise ZeroDivisionError
    assert logging.is_progress_bar_enabled() == bars
    assert logging.get_verbosity() == before


def test_engines_load_without_a_word(tmp_path, capfd, recwarn):
    labels = {"neu": "neutral", "hap": "happy", "ang": "angry", "sad": "sad"}
    audio.write_classifier(tmp_path / "hubert", "hubert", audio.FOUR)
    tiny_vits(tmp_path / "vits")
    tiny_coqui_vits(tmp_path / "coqui")
    logging.enable_progress_bar()
    capfd.readouterr()
    recwarn.clear()
    SpeechEmotion(model=str(tmp_path / "hubert"), labels=labels).load(JudgeContext(("en",)))
    open_model("VitsModel", tmp_path / "vits", "cpu", "float32")
    CoquiVits(tmp_path / "coqui", "cpu")
    assert list(recwarn) == []
    assert capfd.readouterr() == ("", "")
