"""The published profiles, against what papers say and what actors do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.emotions import EMOTIONS, Emotion
from pipeline.prosody.profile import Profile, measure
from pipeline.prosody.published import CHANGES, VARIATION, Change
from pipeline.prosody.target import from_source

RAVDESS = Path(__file__).parents[4] / "shared/speech/ravdess"
CODES: dict[str, Emotion] = {
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}
BOTH_INTENSITIES: tuple[Emotion, ...] = ("angry", "fearful", "happy", "surprised")
GROWING = ("f0_level_st", "energy_db")
"""What grows with intensity."""
PHONES = 18
"""Of both sentences: kids are talking (dogs are sitting) by the door."""


def test_every_emotion_has_a_change_and_neutral_has_none() -> None:
    assert set(CHANGES) == set(EMOTIONS)
    assert CHANGES["neutral"] == Change()
    assert set(VARIATION) == {field.name for field in fields(Change)}


def test_directions_are_those_of_murray_and_arnott() -> None:
    angry, happy, sad, fearful, disgusted = (
        CHANGES[emotion] for emotion in ("angry", "happy", "sad", "fearful", "disgusted")
    )
    assert min(angry.f0_level_st, happy.f0_level_st, fearful.f0_level_st) > 0
    assert disgusted.f0_level_st < sad.f0_level_st < 0
    assert sad.f0_range_ratio < 1 < disgusted.f0_range_ratio < angry.f0_range_ratio
    assert disgusted.rate_ratio < sad.rate_ratio < 1 < angry.rate_ratio
    assert max(sad.energy_db, disgusted.energy_db) < 0 < min(angry.energy_db, happy.energy_db)


def test_surprise_has_the_widest_pitch_as_in_cahn() -> None:
    widest = max(change.f0_range_ratio for change in CHANGES.values())
    assert CHANGES["surprised"].f0_range_ratio == widest


@pytest.fixture(scope="module")
def acted() -> dict[Emotion, list[Change]]:
    """What each actor of RAVDESS changes from neutral."""
    if not RAVDESS.is_dir():
        pytest.skip("the recordings ../shared/speech/ravdess are not here")
    changes: dict[Emotion, list[Change]] = defaultdict(list)
    for folder in sorted(RAVDESS.glob("Actor_*")):
        clips = {path.name.split("-")[2]: path for path in sorted(folder.glob("*.wav"))}
        neutral = _profile(clips["01"])
        for code, emotion in CODES.items():
            changes[emotion].append(_change(_profile(clips[code]), neutral))
    return changes


@pytest.mark.parametrize("emotion", CODES.values())
def test_amounts_are_within_what_actors_do(
    acted: dict[Emotion, list[Change]], emotion: Emotion
) -> None:
    """The clips are of normal intensity; those amounts that are of both go further."""
    for field in fields(Change):
        if field.name == "pause_share":  # Short sentences have none.
            continue
        values = [getattr(change, field.name) for change in acted[emotion]]
        wild = emotion in BOTH_INTENSITIES and field.name in GROWING
        low, high = np.percentile(values, [10, 100 if wild else 90])
        assert low <= getattr(CHANGES[emotion], field.name) <= high, field.name


def test_amounts_of_both_intensities_are_more_than_those_of_the_normal_one(
    acted: dict[Emotion, list[Change]],
) -> None:
    for emotion in BOTH_INTENSITIES:
        for name in GROWING:
            normal = np.median([getattr(change, name) for change in acted[emotion]])
            assert getattr(CHANGES[emotion], name) > normal, (emotion, name)


def _profile(clip: Path) -> Profile:
    samples, rate = soundfile.read(clip, dtype="float32", always_2d=True)
    return measure(samples.mean(axis=1), rate, PHONES)


def _change(profile: Profile, neutral: Profile) -> Change:
    target = from_source(profile, neutral)
    return Change(**{field.name: getattr(target, field.name) for field in fields(Change)})
