"""What runs on a GPU, and what calls that ran side by side did together."""

import pytest

from flows.price import Worked
from flows.works import sides_of, together
from pipeline.judges.duration import Duration
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.quality import Quality
from pipeline.judges.transcript import Whisper
from pipeline.records import Tally
from pipeline.text_judges.back_translation import BackTranslation

LABELS = {"sad": "sad", "rest": None}


@pytest.mark.parametrize(
    ("engine", "wants"),
    [
        (Duration(), False),
        (Whisper(), True),
        (Whisper(device="cpu"), False),
        (SpeechEmotion(model="a/b", labels=LABELS), True),
        (SpeechEmotion(model="a/b", labels=LABELS, device="cpu"), False),
        (Quality(device="cuda"), True),
        (Quality(device="cpu"), False),
        (BackTranslation(translator={"engine": "m2m100"}), True),
        (BackTranslation(translator={"engine": "m2m100", "device": "cpu"}), False),
    ],
)
def test_an_engine_on_the_cpu_waits_for_no_gpu(engine, wants):
    assert engine.wants_gpu is wants


@pytest.mark.parametrize("installed", [[], ["onnxruntime-gpu"]])
def test_quality_waits_for_a_gpu_where_its_package_can_use_one(monkeypatch, installed):
    monkeypatch.setattr("pipeline.judges.quality.distributions", lambda name: installed)
    assert Quality().wants_gpu is bool(installed)


def test_engines_go_apart_where_there_are_gpus_alone():
    engines = (Duration(), Whisper(), Quality(device="cpu"))
    assert sides_of(engines, has_gpus=False) == [(engines, False)]
    assert sides_of(engines, has_gpus=True) == [(engines[::2], False), (engines[1:2], True)]
    assert sides_of(engines[:1], has_gpus=True) == [(engines[:1], False)]
    assert sides_of((), has_gpus=True) == []


def test_calls_on_the_same_rows_count_them_once_and_their_work_in_full():
    on_gpu = Worked(Tally(8, 1, 20.0, halved=2), 3.0, "cuda")
    on_cores = Worked(Tally(8, 2, 20.0, halved=1), 5.0, "cpu")
    assert together([on_gpu, on_cores]) == Worked(Tally(8, 2, 20.0, halved=3), 8.0, "cuda")
    assert together([on_cores]) == on_cores
