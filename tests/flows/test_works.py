"""What runs on a GPU, and what calls that ran side by side did together."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from flows.price import Worked
from flows.works import score, sides_of, together, wording_works
from pipeline.engine import digest
from pipeline.judges.clipping import Clipping
from pipeline.judges.duration import Duration
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.quality import Quality
from pipeline.judges.transcript import Whisper
from pipeline.recipe import Recipe
from pipeline.records import Tally
from pipeline.store import Store
from pipeline.text_judges.back_translation import BackTranslation
from pipeline.text_judges.form import Form

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
    on_gpu = Worked(Tally(8, 1, 20.0, halved=2), {"cuda": 3.0})
    on_cores = Worked(Tally(8, 2, 20.0, halved=1), {"cpu": 5.0})
    both = together([on_gpu, on_cores])
    assert both == Worked(Tally(8, 2, 20.0, halved=3), {"cpu": 5.0, "cuda": 3.0})
    assert together([on_cores]) == on_cores
    assert together([on_cores, on_cores]).work_s == {"cpu": 10.0}
    some = Worked(Tally(8, 0, 20.0, whole=False), {"cpu": 1.0})
    assert not together([on_gpu, some]).tally.whole


class Job:
    """Scores that a test's store has or lacks, by their judge."""

    def key(self, judge):
        return digest(judge.fingerprint())


def test_a_batch_without_judges_is_no_work(tmp_path):
    store = Store(str(tmp_path))
    recipe = Recipe.model_validate(
        {"name": "a", "corpus": {"engine": "quickstart"}, "languages": ["de"], "text_judges": []}
    )
    wording = SimpleNamespace(lines="ab" * 32, language="de", texts=(), checking=Job())
    works = wording_works(store, recipe, wording, sides_of(recipe.text_judges, has_gpus=False))
    assert [work.stage for work in works] == ["translate"]
    works = wording_works(store, recipe, wording, sides_of((Form(),), has_gpus=False))
    assert [(work.stage, work.done) for work in works] == [("translate", False), ("check", False)]


def test_a_tally_says_whether_all_judges_were_due(tmp_path):
    store, judges = Store(str(tmp_path)), (Duration(), Clipping())

    def run(store, judges, job):
        for one in judges:
            if not store.has("scores", job.key(one)):
                store.write("scores", job.key(one), pa.table({"x": [1]}))
        return Tally(1, 0, 2.0)

    first = score(run, "scores", store, judges[:1], Job())
    assert first == Tally(1, 0, 2.0)
    added = score(run, "scores", store, judges, Job())
    assert added == Tally(1, 0, 2.0, whole=False)
