"""The emotion judge maps a model's labels onto ours, and says how sure it is."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
from pydantic import ValidationError
from transformers import AutoModelForAudioClassification

from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.verdict import verdict
from pipeline.judges.waveforms import Hearing, load_network
from pipeline.pretrained.named import ModelError
from pipeline.recipe import Recipe

LABELS = {"neu": "neutral", "hap": "happy", "ang": "angry", "sad": "sad"}


def test_a_verdict_is_probability_margin_and_entropy():
    assert verdict(np.array([0.25, 0.25, 0.25, 0.25]), 2) == pytest.approx((0.25, 0.0, 1.0))
    assert verdict(np.array([1.0, 0.0]), 0) == pytest.approx((1.0, 1.0, 0.0), abs=1e-9)
    probability, margin, entropy = verdict(np.array([0.2, 0.7, 0.1]), 0)
    assert (probability, margin) == pytest.approx((0.2, -0.5))
    nats = -(0.2 * math.log(0.2) + 0.7 * math.log(0.7) + 0.1 * math.log(0.1))
    assert entropy == pytest.approx(nats / math.log(3))


@pytest.fixture(scope="module")
def raw(tiny_networks, make_item):
    """The model's own probabilities of a clip, by label."""
    judge = SpeechEmotion(model=str(tiny_networks / "hubert-emotion"), labels=LABELS)
    model, extractor = load_network(judge, AutoModelForAudioClassification)
    [logits] = Hearing(model, extractor, lambda one: model(**one).logits, 1, 99.0)(
        [make_item("kids").samples]
    )
    shares = np.exp(logits) / np.exp(logits).sum()
    return {model.config.id2label[i]: float(share) for i, share in enumerate(shares)}


def scores_of(tiny_networks, context, item, labels):
    judge = SpeechEmotion(name="e", model=str(tiny_networks / "hubert-emotion"), labels=labels)
    return judge.load(context)([item])[0]


def test_a_model_that_finds_several_labels_at_once_is_refused(tiny_networks, tmp_path):
    folder = shutil.copytree(tiny_networks / "hubert-emotion", tmp_path / "several")
    config = json.loads((folder / "config.json").read_text())
    config["problem_type"] = "multi_label_classification"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"several' may find several labels at once"):
        SpeechEmotion(model=str(folder), labels=LABELS).classifier()


def test_labels_of_one_emotion_add_up(tiny_networks, context, make_item, raw):
    labels = {**LABELS, "neu": "happy"}
    scores = scores_of(tiny_networks, context, make_item("kids"), labels)
    assert scores["e_probability"] == pytest.approx(raw["neu"] + raw["hap"], abs=1e-5)
    assert scores["e_outside"] == pytest.approx(0.0, abs=1e-5)


def test_unmapped_labels_are_taken_out_and_told(tiny_networks, context, make_item, raw):
    labels = {**LABELS, "neu": None}
    scores = scores_of(tiny_networks, context, make_item("kids"), labels)
    rest = 1 - raw["neu"]
    assert scores["e_outside"] == pytest.approx(raw["neu"], abs=1e-5)
    assert scores["e_probability"] == pytest.approx(raw["hap"] / rest, abs=1e-5)
    best = max(raw["ang"], raw["sad"])
    assert scores["e_margin"] == pytest.approx((raw["hap"] - best) / rest, abs=1e-5)


def test_an_emotion_that_the_model_does_not_know_is_nan(tiny_networks, context, make_item):
    item = make_item("kids", emotion="surprised")
    scores = scores_of(tiny_networks, context, item, LABELS)
    assert [math.isnan(scores[f"e_{name}"]) for name in ("probability", "margin", "entropy")] == [
        True, True, True,
    ]  # fmt: skip
    assert scores["e_outside"] == pytest.approx(0.0, abs=1e-5)


def test_several_of_them_stand_in_one_recipe_under_names(tiny_networks):
    judge = {"engine": "emotion", "model": str(tiny_networks / "hubert-emotion"), "labels": LABELS}
    fields = {"name": "a", "corpus": {"engine": "quickstart"}, "languages": ["de"]}
    two = [{**judge, "name": "first"}, {**judge, "name": "second"}]
    gate = {
        "at_least": 2,
        "votes": [{"score": f"{n}_margin", "min": 0} for n in ("first", "second")],
    }
    recipe = Recipe.model_validate({**fields, "judges": two, "gates": {"emotion": gate}})
    assert {"first_margin", "second_margin"} <= set(recipe.score_names)
    with pytest.raises(ValidationError, match="writes the score 'emotion_probability'.*`name`"):
        Recipe.model_validate({**fields, "judges": [judge, judge]})


def test_a_pinned_recipe_names_the_weights_by_content(tiny_networks):
    judge = SpeechEmotion(model=str(tiny_networks / "hubert-emotion"), labels=LABELS)
    assert len(judge.pinned().revision) == 64
    moved = judge.pinned().model_copy(update={"model": "elsewhere"})
    assert moved.fingerprint() == judge.pinned().fingerprint()
