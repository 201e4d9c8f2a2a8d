"""What engines cost: remembered from builds, else as published."""

from typing import get_args

import pytest

from flows.price import (
    Total,
    Worked,
    _keys,
    measured_prices,
    remember,
    timed,
)
from pipeline.judges.any import AnyJudge
from pipeline.judges.duration import Duration
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.quality import Quality
from pipeline.judges.transcript import Borderline, Whisper
from pipeline.needs import SUMS
from pipeline.recipe import Recipe
from pipeline.records import Tally
from pipeline.store import Store
from pipeline.synthesis.any import AnySynthesizer
from pipeline.text_judges.any import AnyTextJudge
from pipeline.text_judges.back_translation import BackTranslation
from pipeline.text_judges.emotion import TextEmotion
from pipeline.translation.any import AnyTranslator
from pipeline.translation.m2m100 import M2m100
from pipeline.translation.nllb import Nllb

RECIPE = Recipe.model_validate(
    {"name": "a", "corpus": {"engine": "quickstart"}, "languages": ["de"]}
)


def test_a_stage_is_timed_where_it_runs():
    worked = timed(lambda rows: Tally(rows, 0, 2.0), 3)
    assert worked.tally == Tally(3, 0, 2.0)
    assert worked.work_s["cpu"] >= 0
    total = Total()
    total.add(Worked(Tally(3, 1, 2.0), {"cpu": 0.5}))
    total.add(Worked(Tally(1, 0, 1.0), {"cpu": 0.25, "cuda": 2.0}))
    assert (total.lines, total.speech_s) == (4, 3.0)
    assert total.work_s == {"cpu": 0.75, "cuda": 2.0}


def test_work_of_some_of_a_stages_engines_is_not_taken_for_that_of_all():
    total = Total()
    total.add(Worked(Tally(3, 0, 2.0), {"cpu": 0.5}))
    total.add(Worked(Tally(3, 0, 2.0, whole=False), {"cpu": 0.1}))
    assert (total.lines, total.speech_s, total.work_s) == (3, 2.0, {"cpu": 0.5})


def took(seconds, device="cpu", **done):
    """What a stage did, and the seconds that one device worked for it."""
    total = Total(**done)
    total.work_s[device] = seconds
    return total


def test_prices_are_remembered_of_the_same_engines_alone(tmp_path):
    store = Store(str(tmp_path))
    assert measured_prices(store, RECIPE) == {}
    remember(
        store,
        RECIPE,
        {
            "translate": took(500.0, lines=1000),
            "synthesize": took(400.0, "cuda", speech_s=2000.0),
            "judge": Total(),
        },
    )
    found = measured_prices(store, RECIPE)
    assert set(found) == {"translate", "synthesize"}
    (translate,), (synthesize,) = found["translate"], found["synthesize"]
    assert (translate.per, translate.seconds) == ("line", 0.5)
    assert synthesize[:3] == ("cuda", 0.2, "speech_s")
    assert "measured here on cuda" in synthesize.source
    more_takes = RECIPE.model_copy(update={"takes": 2})
    assert set(measured_prices(store, more_takes)) == {"translate"}


def test_a_build_that_did_nothing_forgets_nothing(tmp_path):
    store = Store(str(tmp_path))
    remember(store, RECIPE, {"translate": took(500.0, lines=1000)})
    remember(store, RECIPE, {"translate": Total()})
    assert measured_prices(store, RECIPE)["translate"][0].seconds == 0.5


def test_a_build_that_did_little_more_than_load_its_models_is_not_remembered(tmp_path):
    store = Store(str(tmp_path))
    little = {"translate": took(40.0, lines=99), "synthesize": took(40.0, speech_s=299.0)}
    remember(store, RECIPE, little)
    assert measured_prices(store, RECIPE) == {}
    enough = {"translate": took(40.0, lines=100), "synthesize": took(40.0, speech_s=300.0)}
    remember(store, RECIPE, enough)
    before = measured_prices(store, RECIPE)
    assert set(before) == {"translate", "synthesize"}
    remember(store, RECIPE, little)
    assert measured_prices(store, RECIPE) == before


def test_each_device_has_its_own_price(tmp_path):
    store = Store(str(tmp_path))
    judged = took(100.0, speech_s=1000.0)
    judged.work_s["cuda"] = 1.0
    remember(store, RECIPE, {"judge": judged})
    found = {price.device: price.seconds for price in measured_prices(store, RECIPE)["judge"]}
    assert found == {"cpu": 0.1, "cuda": 0.001}


def test_what_a_build_pins_makes_no_other_price(tmp_path):
    store = Store(str(tmp_path))
    labels = {"sad": "sad", "rest": None}
    loose = SpeechEmotion(model="some/model", labels=labels)
    judged = [RECIPE.model_copy(update={"judges": (one,)}) for one in (
        loose, loose.model_copy(update={"revision": "0" * 40}),
    )]  # fmt: skip
    remember(store, judged[1], {"judge": took(100.0, speech_s=400.0)})
    assert measured_prices(store, judged[0])["judge"][0].seconds == 0.25


def test_nor_does_what_it_pins_of_an_engine_within_an_engine():
    loose, pinned = (
        RECIPE.model_copy(update={"text_judges": (BackTranslation(translator=translator),)})
        for translator in (Nllb(), Nllb(revision="0" * 40))
    )
    other = RECIPE.model_copy(update={"text_judges": (BackTranslation(translator=M2m100()),)})
    assert dict(_keys(loose)) == dict(_keys(pinned)) != dict(_keys(other))


@pytest.mark.parametrize(
    ("engine", "device"),
    [
        (SpeechEmotion(model="a/b", labels={"sad": "sad", "rest": None}), "cuda"),
        (TextEmotion(model="a/b", labels={"sad": "sad", "rest": None}), "cuda"),
        (Duration(), "cpu"),
        (Quality(), "cpu"),
        (Whisper(), "cuda"),
        (Whisper(model="small-espeak"), "cpu"),
    ],
)
def test_every_engine_has_a_price_and_its_source(engine, device):
    [price] = engine.prices().values()
    assert price.device == device
    assert price.source


def test_a_second_whisper_costs_by_the_takes_that_it_hears():
    first, second = Whisper(borderline=Borderline(model="large-v3")).prices().items()
    assert (first[0], second[0]) == ("whisper", "large-v3 for the borderline")
    assert 0 < second[1].seconds < first[1].seconds


def test_a_back_translation_costs_what_its_translator_does():
    judge = BackTranslation(translator=Nllb())
    assert judge.prices() == {"back_translation": Nllb.price}


def test_only_counts_and_sums_are_free():
    """An engine that nobody priced would cost nothing, and the bill be wrong without a word."""
    unions = {
        "translate": AnyTranslator, "check": AnyTextJudge,
        "synthesize": AnySynthesizer, "judge": AnyJudge,
    }  # fmt: skip
    labels = {"sad": "sad", "rest": None}
    free = set()
    for stage, union in unions.items():
        for kind in get_args(get_args(union)[0]):
            engine = kind.model_construct(model="a/b", labels=labels, translator=Nllb())
            for price in engine.prices().values():
                assert price.source
                assert (price.per == "line") == (stage in ("translate", "check")) or price == SUMS
                if price.seconds == 0:
                    free.add(f"{stage} {engine.engine}")
    assert free == {
        "translate memory", "check form", "judge duration", "judge clipping", "judge probe",
    }  # fmt: skip


def test_a_classifier_that_always_hears_half_a_minute_costs_more():
    labels = {"sad": "sad", "rest": None}
    hubert, whisper = (
        SpeechEmotion(model=name, labels=labels).prices()["emotion"]
        for name in ("a/hubert-large", "b/openai-whisper-large-v3")
    )
    assert whisper.seconds > hubert.seconds


def test_the_costly_network_of_quality_costs_more():
    costly, cheap = (Quality(p835=one).prices()["quality"] for one in (True, False))
    assert costly.seconds > 10 * cheap.seconds
