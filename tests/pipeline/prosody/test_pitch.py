"""Pitch by autocorrelation."""

from __future__ import annotations

import numpy as np

from pipeline.prosody.pitch import track_pitch
from tests.pipeline.prosody.signals import RATE, creaky, voice


def test_a_glide_is_followed_without_octave_errors() -> None:
    samples = voice(f0_hz=200.0, glide_st=8.0)
    pitch = track_pitch(samples, RATE, 0.01)
    times_s = np.arange(len(pitch.f0_hz)) * 0.01 - 0.2
    truth = 200.0 * 2 ** (8 / 12 * (0.5 - times_s / 1.6))
    voiced = pitch.f0_hz > 0
    error_st = 12 * np.abs(np.log2(pitch.f0_hz[voiced] / truth[voiced]))
    assert voiced.sum() > 140
    assert np.percentile(error_st, 95) < 0.2


def test_every_other_pulse_weaker_is_no_octave_error() -> None:
    pulses = np.zeros(RATE)
    pulses[::80] = 1.0
    pulses[::160] = 0.8
    shape = np.exp(-np.arange(200) / 20) * np.sin(np.arange(200) / 3)
    pitch = track_pitch(np.convolve(pulses, shape)[:RATE], RATE, 0.01)
    assert np.median(pitch.f0_hz[pitch.f0_hz > 0]) == 200.0 or np.isclose(
        np.median(pitch.f0_hz[pitch.f0_hz > 0]), 200.0, rtol=0.01
    )


def test_strength_is_lower_in_noise() -> None:
    clean = track_pitch(voice(noise=0.001), RATE, 0.01)
    noisy = track_pitch(voice(noise=0.15), RATE, 0.01)
    assert np.median(clean.strength[clean.f0_hz > 0]) > np.median(noisy.strength[noisy.f0_hz > 0])


def test_creak_that_lasts_is_told_apart_and_no_part_of_the_pitch() -> None:
    pitch = track_pitch(creaky(), RATE, 0.01)
    end = slice(183, 217)
    assert not pitch.f0_hz[end].any()
    assert np.allclose(pitch.creak_hz[end], 75.0, rtol=0.03)
    assert not pitch.creak_hz[:175].any()
    assert not track_pitch(voice(f0_hz=180.0), RATE, 0.01).creak_hz.any()
