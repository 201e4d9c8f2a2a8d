"""Whose neutral speech a clip is relative to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.prosody.baseline import Baselines
from pipeline.prosody.frames import BANDS
from pipeline.prosody.profile import Profile, measure
from tests.pipeline.prosody.signals import RATE, voice


@pytest.fixture(scope="module")
def plain() -> Profile:
    return measure(voice(), RATE, 16)


def at(plain: Profile, level_st: float) -> Profile:
    return replace(plain, f0_level_st=level_st)


def test_own_neutral_then_the_gender_then_the_corpus(plain: Profile) -> None:
    baselines = Baselines.fit(
        [
            ("anna", "female", "neutral", at(plain, 36.0)),
            ("anna", "female", "neutral", at(plain, 38.0)),
            ("berta", "female", "neutral", at(plain, 39.0)),
            ("carl", "male", "neutral", at(plain, 24.0)),
            ("dora", "female", "angry", at(plain, 60.0)),
        ]
    )
    own, of_gender, of_corpus = (
        baselines.neutral(*who)
        for who in (("anna", "female"), ("dora", "female"), ("x", "unknown"))
    )
    assert (own[0].f0_level_st, own[1]) == (37.0, "speaker")
    assert (of_gender[0].f0_level_st, of_gender[1]) == (38.0, "gender")
    assert of_corpus[0].f0_level_st == pytest.approx(100 / 3)
    assert of_corpus[1] == "corpus"


def test_speakers_of_unknown_gender_are_no_gender_of_their_own(plain: Profile) -> None:
    rows = [
        ("anna", "female", "neutral", at(plain, 38.0)),
        ("x", "unknown", "neutral", at(plain, 24.0)),
    ]
    profile, origin = Baselines.fit(rows).neutral("y", "unknown")
    assert (profile.f0_level_st, origin) == (31.0, "corpus")


def test_a_corpus_without_neutral_clips_uses_all(plain: Profile) -> None:
    baselines = Baselines.fit([("anna", "female", "angry", at(plain, 40.0))])
    assert baselines.neutral("anna", "female") == (at(plain, 40.0), "speaker_any_emotion")


def test_no_clips_is_an_error() -> None:
    with pytest.raises(ValueError, match="no clip could be measured"):
        Baselines.fit([])


def test_without_neutral_clips_no_speaker_is_relative_to_a_single_clip(plain: Profile) -> None:
    rows = [("anna", "female", "angry", at(plain, level_st)) for level_st in (36.0, 40.0)]
    baselines = Baselines.fit([*rows, ("bea", "female", "angry", at(plain, 60.0))])
    assert baselines.neutral("anna", "female")[0].f0_level_st == 38.0
    own, origin = baselines.neutral("bea", "female")
    assert (own.f0_level_st, origin) == (38.0, "gender_any_emotion")


def test_the_mean_is_of_those_that_know_the_number(plain: Profile) -> None:
    silent = replace(plain, unvoiced_bands_db=())
    known = replace(plain, unvoiced_bands_db=(1.0,) * BANDS)
    rows = [("anna", "female", "neutral", one) for one in (silent, known)]
    assert Baselines.fit(rows).by_speaker["anna"].unvoiced_bands_db == (1.0,) * BANDS
    assert Baselines.fit(rows[:1]).by_speaker["anna"].unvoiced_bands_db == ()
