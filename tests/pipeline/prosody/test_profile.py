"""The profile of signals that are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.prosody.frames import BANDS, cut
from pipeline.prosody.profile import POINTS, SCALARS, Profile, measure, profile_of
from tests.pipeline.prosody.signals import RATE, voice


@pytest.mark.parametrize("f0_hz", [80.0, 120.0, 210.0, 400.0])
def test_f0_level_is_the_pitch_of_the_voice(f0_hz: float) -> None:
    level_st = measure(voice(f0_hz), RATE, 16).f0_level_st
    assert level_st == pytest.approx(12 * np.log2(f0_hz / 27.5), abs=0.3)


def test_f0_range_is_the_middle_80_percent_of_a_glide() -> None:
    assert measure(voice(glide_st=10.0), RATE, 16).f0_range_st == pytest.approx(8.0, abs=0.8)


def test_energy_is_the_level_and_nothing_else_moves_with_it() -> None:
    loud = measure(voice(level_db=-20.0, hiss=0.3), RATE, 16)
    quiet = measure(voice(level_db=-45.0, hiss=0.3), RATE, 16)
    assert loud.energy_db - quiet.energy_db == pytest.approx(25.0, abs=0.1)
    for name in set(SCALARS) - {"energy_db"}:
        assert getattr(loud, name) == pytest.approx(getattr(quiet, name), abs=0.1), name
    for name in ("energy_contour_db", "voiced_bands_db"):
        assert getattr(loud, name) == pytest.approx(getattr(quiet, name), abs=0.1), name
    # A frame of digital silence beside the speech is at the floor, whatever the level.
    assert loud.unvoiced_bands_db == pytest.approx(quiet.unvoiced_bands_db, abs=1.5)


def test_tilt_follows_the_harmonics() -> None:
    flat = measure(voice(tilt_db_oct=-5.0), RATE, 16)
    steep = measure(voice(tilt_db_oct=-11.0), RATE, 16)
    assert flat.tilt_db_oct - steep.tilt_db_oct == pytest.approx(6.0, abs=1.5)


def test_noise_is_aperiodic() -> None:
    clean = measure(voice(noise=0.001), RATE, 16)
    breathy = measure(voice(noise=0.2), RATE, 16)
    assert breathy.aperiodicity_db > clean.aperiodicity_db + 3


@pytest.mark.parametrize("offset", [0.001, 0.02])
def test_a_constant_offset_changes_nothing(offset: float) -> None:
    clean = measure(voice(level_db=-35.0), RATE, 16)
    shifted = measure(voice(level_db=-35.0) + np.float32(offset), RATE, 16)
    for name in SCALARS:
        assert getattr(shifted, name) == pytest.approx(getattr(clean, name), abs=0.02), name
    with pytest.raises(ValueError, match="silent"):
        measure(np.full(RATE, 0.1, np.float32), RATE, 16)


def test_the_colour_of_unvoiced_speech_is_not_known_where_there_is_none() -> None:
    assert measure(voice(hiss=0.0), RATE, 16).unvoiced_bands_db == ()
    assert len(measure(voice(hiss=0.3), RATE, 16).unvoiced_bands_db) == BANDS


def test_rate_counts_phones_over_speech_without_pauses() -> None:
    part = voice(seconds=1.6)
    pause = np.zeros(RATE // 2, dtype=np.float32)
    profile = measure(np.concatenate([part, pause, part]), RATE, 32)
    assert profile.rate_phones_s == pytest.approx(measure(part, RATE, 16).rate_phones_s, rel=0.1)
    assert profile.pause_share == pytest.approx(0.9 / 4.1, abs=0.05)


def test_sounds_too_soft_for_speech_frames_count_as_unvoiced_time() -> None:
    samples = voice(seconds=1.6)
    for start_s in (0.35, 0.75, 1.15):
        start = round(start_s * RATE)
        samples[start : start + round(0.12 * RATE)] *= 1e-3
    share = measure(samples, RATE, 16).voiced_share
    assert share == pytest.approx(1 - 3 * 0.12 / 1.6, abs=0.05)


def test_rate_without_a_text_counts_syllables() -> None:
    estimated = measure(voice(seconds=1.6), RATE, None).rate_phones_s
    assert estimated == pytest.approx(4 * 2.5 / 1.6, rel=0.3)


def test_another_sampling_rate_gives_the_same_profile() -> None:
    import soxr

    samples = voice()
    other = measure(soxr.resample(samples, RATE, 44_100), 44_100, 16)
    assert other.f0_level_st == pytest.approx(measure(samples, RATE, 16).f0_level_st, abs=0.05)


def test_contours_and_the_json_form() -> None:
    profile = measure(voice(glide_st=8.0), RATE, 16)
    assert len(profile.f0_contour_st) == POINTS
    assert profile.f0_contour_st[0] > 2 > -2 > profile.f0_contour_st[-1]
    again = Profile.from_dict(json.loads(json.dumps(profile.to_dict())))
    assert again.to_dict() == profile.to_dict()
    assert measure(voice(glide_st=8.0), RATE, 16) == profile


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(RATE, dtype=np.float32), "silent"),
        (np.ones(1, dtype=np.float32), "needs 0.1 s"),
        (np.full(RATE, np.nan, dtype=np.float32), "not finite"),
        (np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32), "no voiced frame"),
    ],
)
def test_a_clip_without_pitch_is_an_error_that_says_why(samples: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure(samples, RATE, None)


def test_jitter_is_the_same_at_any_distance_of_frames() -> None:
    random = np.random.default_rng(0)
    wavering = voice(glide_st=6.0) + 0.02 * random.standard_normal(len(voice())).astype(np.float32)
    fine, coarse = (profile_of(cut(wavering, hop_s), 16) for hop_s in (0.005, 0.01))
    assert coarse.jitter_st > 0.02
    assert fine.jitter_st == pytest.approx(coarse.jitter_st, rel=0.3)
