"""What a corpus can't give its set is said, with what helps."""

from __future__ import annotations

import pytest

from pipeline.recipe import Recipe
from pipeline.work.shortfalls import shortfalls

NEUTRAL, ANGRY = "neutral", "angry"


def of(given, recorded=(), **fields):
    recipe = {"name": "a", "corpus": {"engine": "quickstart"}, "languages": ["de"], **fields}
    return shortfalls(Recipe.model_validate(recipe), given, recorded)


def test_a_set_with_all_it_needs_is_not_spoken_of():
    whole = {"a": "train", "b": "validation", "c": "test"}
    assert of(whole, [("anna", NEUTRAL), ("anna", ANGRY)]) == []
    assert of({}) == []


def test_splits_that_nothing_is_in_are_named_with_what_helps():
    [said] = of({"a": "train", "b": "train"})
    assert said.startswith("splits: nothing is left for validation and test: of 2 utterances, ")
    assert "splits.by: [speaker]" in said
    [by_speaker] = of({"a": "train"}, splits={"by": ["speaker"]})
    assert "more that share no speaker would fill them" in by_speaker


def test_a_split_that_is_due_nothing_may_be_empty():
    assert of({"a": "train"}, splits={"train": 1.0, "validation": 0.0, "test": 0.0}) == []


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ([("bea", ANGRY), ("anna", NEUTRAL)], "1 of 2 speakers have no neutral recording (bea)"),
        ([("bea", ANGRY)], "measured against the mean of their emotions"),
        ([(name, ANGRY) for name in "abcde"], "(a, b, c ...)"),
    ],
)
def test_speakers_without_neutral_speech_are_named(recorded, said):
    whole = {"a": "train", "b": "validation", "c": "test"}
    [found] = of(whole, recorded)
    assert said in found


def test_neutral_speech_is_not_missed_where_nothing_is_relative_to_it():
    whole = {"a": "train", "b": "validation", "c": "test"}
    assert of(whole, [("bea", ANGRY)], prosody={"from": "emotion"}) == []
