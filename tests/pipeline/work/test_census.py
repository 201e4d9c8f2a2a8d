"""What the whole corpus says of its recordings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.prosody.profile import Profile, measure
from pipeline.records import Gender, Recording, Utterance
from pipeline.work.census import _others_neutral
from tests.pipeline.prosody.signals import RATE, voice

Spoken = dict[str, list[tuple[Utterance, Profile]]]


@pytest.fixture(scope="module")
def plain() -> Profile:
    return measure(voice(), RATE, 16)


def neutral_clips(plain: Profile, *clips: tuple[str, Gender, float]) -> Spoken:
    """Of each speaker's neutral clips the utterance and a profile at some level."""
    found: Spoken = defaultdict(list)
    for number, (who, gender, level_st) in enumerate(clips):
        clip = Recording(Path("clip.wav"))
        id = f"u{number}"
        one = Utterance(id, "manifest", "Go!", "neutral", who, gender, "CC0-1.0", clip)
        found[who].append((one, replace(plain, f0_level_st=level_st)))
    return found


def level_st(spoken: Spoken, who: str) -> float | None:
    """What the first clip of a speaker is relative to."""
    profile = _others_neutral(spoken[who][0][0], spoken)
    return None if profile is None else profile.f0_level_st


def test_a_neutral_clip_is_relative_to_the_speakers_others(plain: Profile) -> None:
    clips = [("anna", "female", 30.0), ("anna", "female", 34.0), ("bea", "female", 50.0)]
    assert level_st(neutral_clips(plain, *clips), "anna") == 34.0


def test_of_a_single_one_to_those_of_the_gender_and_then_of_anybody(plain: Profile) -> None:
    clips = [("anna", "female", 30.0), ("bea", "female", 36.0), ("carl", "male", 20.0)]
    spoken = neutral_clips(plain, *clips)
    assert level_st(spoken, "anna") == 36.0
    assert level_st(spoken, "carl") == 33.0


def test_and_never_to_itself(plain: Profile) -> None:
    assert level_st(neutral_clips(plain, ("anna", "female", 30.0)), "anna") is None
