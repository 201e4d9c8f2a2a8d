"""What every judge of texts promises."""

from __future__ import annotations

import json
import math
import shutil

import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.pretrained.named import ModelError
from pipeline.records import Failure
from pipeline.text_judges.any import AnyTextJudge
from pipeline.text_judges.back_translation import BackTranslation
from pipeline.text_judges.base import TextItem
from pipeline.text_judges.emotion import TextEmotion
from pipeline.text_judges.form import Form
from pipeline.text_judges.language import TextLanguage
from pipeline.translation.memory import Memory
from pipeline.translation.nllb import Nllb
from tests.checkpoints import text
from tests.unions import engines_of, names_of

LABELS = {"joy": "happy", "anger": "angry", "love": None, "neutral": "neutral"}
LANGUAGES = ("en", "de", "zh")
ITEMS = (
    TextItem("Leave me alone!", "Lass mich in Ruhe!", "de", "angry"),
    TextItem("What a day.", "What a day.", "en", "happy"),
    TextItem("I can't believe it.", "我简直不敢相信。", "zh", "surprised"),
    TextItem("No.", "Nein, das ist doch ganz bestimmt nicht dein Ernst.", "de", "neutral"),
)
ENGINES = names_of(AnyTextJudge)

each_judge = pytest.mark.parametrize("name", ENGINES)


@pytest.fixture(scope="module")
def judges(tmp_path_factory):
    root = tmp_path_factory.mktemp("texts")
    classifier = text.tiny_text_classifier(root / "classifier", tuple(LABELS))
    translator = Nllb(model=str(text.tiny_nllb(root / "nllb")), beams=1)
    return {
        "language": TextLanguage(),
        "form": Form(),
        "back_translation": BackTranslation(translator=translator),
        "emotion": TextEmotion(model=str(classifier), labels=LABELS),
    }


@pytest.fixture(scope="module")
def judge(judges):
    """Loads each judge once for all tests."""
    loaded = {name: one.load(LANGUAGES) for name, one in judges.items()}
    return lambda name, items=ITEMS: loaded[name](items)


def test_every_judge_is_held_to_it(judges):
    lacking = set(ENGINES) - set(judges)
    assert not lacking, f"make one of {lacking} in the fixture `judges` here"
    assert {type(one) for one in judges.values()} == set(engines_of(AnyTextJudge))


@each_judge
def test_a_batch_scores_as_its_lines_do_alone_and_in_their_order(judge, judges, name):
    together, backwards = judge(name), judge(name, ITEMS[::-1])[::-1]
    for item, found, reverse in zip(ITEMS, together, backwards, strict=True):
        [alone] = judge(name, [item])
        assert tuple(found) == tuple(judges[name].scores)
        assert found == pytest.approx(alone, abs=1e-5, nan_ok=True)
        assert found == pytest.approx(reverse, abs=1e-5, nan_ok=True)


@each_judge
def test_a_blank_line_harms_no_other(judge, name):
    answers = judge(name, [ITEMS[0], TextItem("No.", " ", "de", "sad"), ITEMS[3]])
    assert answers[0] == pytest.approx(judge(name, ITEMS[:1])[0], abs=1e-5, nan_ok=True)
    assert not isinstance(answers[2], Failure)


@each_judge
def test_no_line_has_no_score(judge, name):
    assert judge(name, []) == []


@each_judge
def test_settings_survive_the_way_through_a_file_and_an_unknown_one_is_refused(judges, name):
    one, adapter = judges[name], TypeAdapter(AnyTextJudge)
    assert adapter.validate_json(one.model_dump_json()).fingerprint() == one.fingerprint()
    with pytest.raises(ValidationError, match="loudness"):
        adapter.validate_python({**one.model_dump(), "loudness": 3})


def test_no_two_judges_write_the_same_score(judges):
    names = [name for one in judges.values() for name in one.scores]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("engine", engines_of(AnyTextJudge), ids=names_of(AnyTextJudge))
def test_every_judge_says_what_it_checks(engine):
    assert isinstance(engine.checks, str)
    assert engine.checks.strip()


def test_the_same_text_keeps_all_of_its_emotion(judge):
    [found] = judge("emotion", [ITEMS[1]])
    assert found["text_emotion_kept"] == pytest.approx(1.0, abs=1e-6)
    assert 0 < found["text_emotion_probability"] < 1


def test_an_emotion_that_the_model_has_no_label_for_has_no_probability(judge):
    [found] = judge("emotion", [ITEMS[2]])
    assert math.isnan(found["text_emotion_probability"])
    assert 0 <= found["text_emotion_kept"] <= 1


def test_other_labels_than_the_models_are_refused_by_name(judges):
    other = judges["emotion"].model_copy(update={"labels": {"joy": "happy", "fear": "fearful"}})
    with pytest.raises(ModelError, match="anger, joy, love, neutral, the recipe names fear, joy"):
        other.load(LANGUAGES)


def test_a_text_that_is_too_long_for_the_classifier_fails_alone(judge):
    long = TextItem("No.", "Nein! " * 200, "de", "angry")
    answers = judge("emotion", [ITEMS[0], long])
    assert isinstance(answers[1], Failure)
    assert not isinstance(answers[0], Failure)


def test_a_translation_that_says_the_same_comes_back_as_it_was(tmp_path):
    table = tmp_path / "memory.tsv"
    table.write_text("en\tde\nLeave me alone!\tLass mich in Ruhe!\n", encoding="utf-8")
    judge_batch = BackTranslation(translator=Memory(path=str(table))).load(("en", "de"))
    good, lost, english = judge_batch([ITEMS[0], ITEMS[3], ITEMS[1]])
    assert good == {"back_translation_chrf": 1.0}
    assert english == {"back_translation_chrf": 1.0}
    assert isinstance(lost, Failure)
    assert lost.error.startswith("back to English:")


def test_the_back_translator_is_pinned_too(judges):
    pinned = judges["back_translation"].pinned_for(LANGUAGES)
    assert len(pinned.translator.revision) == 64


def test_a_model_that_finds_several_labels_at_once_has_no_distribution_to_keep(judges, tmp_path):
    folder = shutil.copytree(judges["emotion"].model, tmp_path / "several")
    config = json.loads((folder / "config.json").read_text())
    config["problem_type"] = "multi_label_classification"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"several' may find several labels at once .* name a"):
        TextEmotion(model=str(folder), labels=LABELS).load(LANGUAGES)
