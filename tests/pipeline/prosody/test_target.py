"""What is asked of a take."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.emotions import EMOTIONS, Emotion
from pipeline.prosody.curves import curves
from pipeline.prosody.profile import measure, tilt_db_oct
from pipeline.prosody.published import CHANGES, SLOPE_SD_ST, TILT_SD_DB_OCT
from pipeline.prosody.target import (
    Target,
    as_people_do,
    asked_of,
    distance,
    from_emotion,
    from_source,
    sparing_tones,
)
from tests.pipeline.prosody.signals import RATE, voice


def test_a_neutral_clip_asks_for_no_change_of_level() -> None:
    profile = measure(voice(), RATE, 16)
    target = from_source(profile, profile)
    assert (target.f0_level_st, target.energy_db, target.rate_ratio) == (0.0, 0.0, 1.0)
    assert set(target.voiced_bands_db) == {0.0}
    assert distance(target, target)["total"] == 0.0


def test_a_clip_without_unvoiced_speech_asks_for_no_other_colour_of_it() -> None:
    mixed, voiced = measure(voice(hiss=0.3), RATE, 16), measure(voice(hiss=0.0), RATE, 16)
    for profile, neutral in ((voiced, mixed), (mixed, voiced)):
        assert set(from_source(profile, neutral).unvoiced_bands_db) == {0.0}


def test_a_neutral_clip_said_on_one_note_asks_for_no_endless_range() -> None:
    moving, one_note = measure(voice(), RATE, 16), measure(voice(glide_st=0.0), RATE, 16)
    assert moving.f0_range_st > 50 * one_note.f0_range_st
    assert from_source(moving, one_note).f0_range_ratio == 4.0
    assert from_source(one_note, moving).f0_range_ratio == 0.25


def test_a_higher_louder_clip_asks_for_that() -> None:
    neutral = measure(voice(), RATE, 16)
    target = from_source(measure(voice(f0_hz=300.0, level_db=-15.0), RATE, 16), neutral)
    assert target.f0_level_st == pytest.approx(12.0, abs=0.3)
    assert target.energy_db == pytest.approx(10.0, abs=0.3)


def test_distance_names_the_dimension_that_is_off() -> None:
    asked = from_emotion("sad", 0)
    errors = distance(asked, replace(asked, energy_db=asked.energy_db + 6.0))
    assert errors["energy_db"] == pytest.approx(2.0)
    assert errors["f0_level_st"] == 0.0
    assert 0 < errors["total"] < errors["energy_db"]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("f0_level_st", 2.0),
        ("f0_range_ratio", 1.42),
        ("energy_db", 3.0),
        ("energy_range_ratio", 1.22),
        ("rate_ratio", 1.16),
        ("pause_share", 0.05),
        ("tilt_db_oct", 1.0),
        ("aperiodicity_db", 2.0),
    ],
)
def test_an_error_of_one_is_as_large_as_the_card_says(name: str, unit: float) -> None:
    asked = from_emotion("sad", 0)
    value = getattr(asked, name)
    more = value * unit if name.endswith("_ratio") else value + unit
    errors = distance(asked, replace(asked, **{name: more}))
    assert errors.pop("total") == pytest.approx(1 / 8**0.5, rel=0.02)
    assert errors == pytest.approx(dict.fromkeys(errors, 0.0) | {name: 1.0}, rel=0.02)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_every_emotion_has_a_published_profile_that_varies_by_seed(emotion: str) -> None:
    targets = [from_emotion(emotion, seed) for seed in range(20)]
    assert targets[0] == from_emotion(emotion, 0)
    assert len({target.f0_level_st for target in targets}) > 15
    mean_db = sum(target.energy_db for target in targets) / 20
    assert mean_db == pytest.approx(CHANGES[emotion].energy_db, abs=2.0)
    assert Target.from_dict(json.loads(json.dumps(targets[0].to_dict()))).to_dict() == (
        targets[0].to_dict()
    )


def test_neutral_speech_varies_around_what_it_is_in_tilt_and_intonation() -> None:
    targets = [from_emotion("neutral", seed) for seed in range(400)]
    tilts = [one.tilt_db_oct for one in targets]
    slopes = [one.f0_contour_st[-1] - one.f0_contour_st[0] for one in targets]
    for values, deviation in ((tilts, TILT_SD_DB_OCT), (slopes, SLOPE_SD_ST)):
        assert np.mean(values) == pytest.approx(0.0, abs=0.2 * deviation)
        assert np.std(values) == pytest.approx(deviation, rel=0.2)


def test_who_is_angrier_in_one_thing_is_in_the_others_too() -> None:
    targets = [from_emotion("angry", seed) for seed in range(100)]
    levels_st, levels_db, ranges = (
        [getattr(one, name) for one in targets]
        for name in ("f0_level_st", "energy_db", "f0_range_ratio")
    )
    assert np.corrcoef(levels_st, levels_db)[0, 1] > 0.5
    assert np.median(ranges) == pytest.approx(CHANGES["angry"].f0_range_ratio, rel=0.05)


def test_what_is_asked_in_all_is_of_the_voices_own_neutral_speech() -> None:
    measured = measure(voice(), RATE, 16)
    neutral = replace(measured, f0_level_st=30.0, f0_range_st=4.0, pause_share=0.1, energy_db=-25.0)
    change = replace(
        from_source(measured, measured),
        f0_level_st=2.0,
        f0_range_ratio=1.5,
        pause_share=-0.2,
        energy_db=3.0,
    )
    asked = asked_of(change, neutral)
    wanted = {"f0_level_st": 32.0, "f0_range_st": 6.0, "pause_share": 0.0, "energy_db": -22.0}
    assert {name: asked[name] for name in wanted} == wanted
    assert asked_of(replace(change, pause_share=2.0), neutral)["pause_share"] == 1.0
    assert asked["rate_phones_s"] == pytest.approx(neutral.rate_phones_s)


def test_published_directions_hold() -> None:
    angry, sad, happy = (CHANGES[emotion] for emotion in ("angry", "sad", "happy"))
    assert angry.energy_db > happy.energy_db > 0 > sad.energy_db
    assert sad.rate_ratio < 1 < min(angry.rate_ratio, happy.rate_ratio)
    assert sad.f0_range_ratio < 1 < min(angry.f0_range_ratio, happy.f0_range_ratio)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_clips_spectrum_goes_towards_that_of_its_emotion_and_nothing_else_does(
    emotion: Emotion,
) -> None:
    own = replace(from_emotion("sad", 3), f0_yield=0.5)
    found = as_people_do(own, emotion)
    for name in ("voiced_bands_db", "unvoiced_bands_db"):
        wanted = 0.25 * np.array(getattr(own, name))
        wanted += 0.75 * np.array(getattr(curves()[emotion], name))
        assert np.allclose(getattr(found, name), wanted)
    assert found.tilt_db_oct == pytest.approx(tilt_db_oct(np.array(found.voiced_bands_db)))
    kept = {
        "tilt_db_oct": own.tilt_db_oct,
        "voiced_bands_db": own.voiced_bands_db,
        "unvoiced_bands_db": own.unvoiced_bands_db,
    }
    assert replace(found, **kept) == own


def test_tones_are_left_as_the_voice_has_them_and_the_phrase_goes_its_way() -> None:
    profile = measure(voice(), RATE, 16)
    accents = tuple(np.sin(np.arange(16.0)).tolist())
    target = replace(from_source(profile, profile), f0_contour_st=accents)
    spared = sparing_tones(target)
    assert (target.f0_yield, spared.f0_yield) == (0.5, 0.0)
    contour, line = (np.array(one.f0_contour_st) for one in (target, spared))
    assert np.ptp(np.diff(line)) < 1e-9
    assert line.mean() == pytest.approx(contour.mean())
    same = replace(target, f0_yield=0.0, f0_contour_st=spared.f0_contour_st)
    assert spared == same


def test_a_clip_without_a_contour_has_none_to_straighten() -> None:
    target = from_source(measure(voice(), RATE, 16), measure(voice(), RATE, 16))
    spared = sparing_tones(replace(target, f0_contour_st=()))
    assert (spared.f0_contour_st, spared.f0_yield) == ((), 0.0)
