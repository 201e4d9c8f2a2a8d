"""What a judge gives to every class is what its scores are made of."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.calibration import tempered
from pipeline.judges.base import JudgeContext
from pipeline.judges.duration import Duration
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.transcript import Whisper
from pipeline.judges.witness import witnesses
from pipeline.records import Failure

LABELS = {"neu": "neutral", "hap": "happy", "ang": "angry", "sad": "sad"}


@pytest.fixture
def judge(tiny_networks):
    return SpeechEmotion(name="e", model=str(tiny_networks / "hubert-emotion"), labels=LABELS)


def test_an_emotion_judge_s_scores_are_of_what_it_gives_to_every_emotion(judge, context, make_item):
    items = [make_item("kids"), make_item("short", samples=make_item("short").samples[:9])]
    [witness] = witnesses([Duration(), judge], ("en", "de"))
    assert witness.classes == ("angry", "happy", "neutral", "sad")
    assert witness.truth(items[0]) == "happy"
    shares, failed = witness.hear(items)
    assert isinstance(failed, Failure)
    warm = judge.model_copy(update={"temperatures": {"de": 9.0, "en": 4.0}})
    for own, temperature in ((judge, 1.0), (warm, 4.0)):
        [scores] = own.load(context)(items[:1])
        wanted = tempered(shares, temperature)
        assert scores["e_probability"] == pytest.approx(wanted[1], abs=1e-6)
        assert scores["e_margin"] == pytest.approx(wanted[1] - np.delete(wanted, 1).max(), abs=1e-6)
    assert warm.fingerprint() != judge.fingerprint()


def test_whisper_tells_languages_apart_as_it_does_before_calibration(make_item):
    items = [make_item("kids"), make_item("hund")]
    judge = Whisper(model="small-espeak", window="short", language_temperature=3.0)
    [witness] = witnesses([judge], ("en", "de"))
    assert [witness.truth(item) for item in items] == ["en", "de"]
    plain = judge.model_copy(update={"language_temperature": 1.0})
    scores = plain.load(JudgeContext(("en", "de")))(items)
    for at, (shares, one) in enumerate(zip(witness.hear(items), scores, strict=True)):
        assert shares.sum() == pytest.approx(1)
        assert shares[at] == pytest.approx(one["language_audio_probability"], abs=1e-6)
    assert list(witnesses([judge], ("en",))) == []
