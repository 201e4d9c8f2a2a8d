"""The clipping judge reads levels off a waveform."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.judges.clipping import Clipping


def score(context, make_item, samples, **settings):
    item = make_item(samples=np.asarray(samples, np.float32))
    return Clipping(**settings).load(context)([item])[0]


def sine(amplitude):
    return amplitude * np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000)


def test_a_half_scale_sine_peaks_at_minus_6_and_has_an_rms_of_minus_9_db(context, make_item):
    scores = score(context, make_item, sine(0.5))
    assert scores["peak_dbfs"] == pytest.approx(20 * math.log10(0.5), abs=0.01)
    assert scores["rms_dbfs"] == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=0.01)
    assert scores["clipped_share"] == 0.0


def test_samples_within_a_16_bit_step_of_full_scale_are_clipped(context, make_item):
    samples = np.zeros(1000)
    samples[:4] = [1.0, -1.0, 32767 / 32768, 1.2]
    samples[4:6] = [32766 / 32768, -0.99]
    assert score(context, make_item, samples)["clipped_share"] == pytest.approx(0.004)


def test_a_sine_driven_over_full_scale_is_clipped_a_third_of_the_time(context, make_item):
    clipped = np.clip(sine(2 / math.sqrt(3)), -1, 1)
    assert score(context, make_item, clipped)["clipped_share"] == pytest.approx(1 / 3, abs=0.03)


def test_silence_at_the_ends_is_measured_in_frames_of_10_ms(context, make_item):
    samples = np.concatenate([np.zeros(4_000), sine(0.5), np.full(2_400, 1e-4)])
    scores = score(context, make_item, samples)
    assert scores["leading_silence_s"] == pytest.approx(0.25, abs=0.01)
    assert scores["trailing_silence_s"] == pytest.approx(0.15, abs=0.01)


def test_what_counts_as_silence_is_a_setting(context, make_item):
    samples = np.concatenate([sine(0.005)[:4_000], sine(0.5)])
    quiet_is_silent = score(context, make_item, samples, silence_db=30.0)
    quiet_is_heard = score(context, make_item, samples, silence_db=50.0)
    assert quiet_is_silent["leading_silence_s"] == pytest.approx(0.25, abs=0.01)
    assert quiet_is_heard["leading_silence_s"] == 0.0


@pytest.mark.parametrize(("below_db", "silent_s"), [(39.0, 0.0), (41.0, 0.25)])
@pytest.mark.parametrize("peak", [0.9, 0.001])
def test_silence_is_40_db_below_the_loudest_frame_however_loud(
    context, make_item, peak, below_db, silent_s
):
    samples = peak * np.concatenate([np.full(4_000, 10 ** (-below_db / 20)), np.ones(8_000)])
    assert score(context, make_item, samples)["leading_silence_s"] == silent_s


def test_a_last_frame_of_one_sample_is_as_loud_as_its_sample(context, make_item):
    scores = score(context, make_item, np.full(16_001, 0.5), silence_db=10.0)
    assert scores["trailing_silence_s"] == 0.0


@pytest.mark.parametrize("length", [1, 159, 16_000])
def test_digital_silence_reads_the_floor_and_is_silent_throughout(context, make_item, length):
    assert score(context, make_item, np.zeros(length)) == {
        "clipped_share": 0.0,
        "peak_dbfs": -120.0,
        "rms_dbfs": -120.0,
        "leading_silence_s": length / 16_000,
        "trailing_silence_s": length / 16_000,
    }
