"""The duration judge counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.judges.duration import Duration


def score(context, item):
    return Duration().load(context)([item])[0]


def test_counts_seconds_characters_and_phones(context, make_item):
    item = make_item(
        samples=np.zeros(32_000, np.float32), text="ja, ja\n nein", phone_count=9,
        source_duration_s=4.0,
    )  # fmt: skip
    assert score(context, item) == {
        "duration_s": 2.0,
        "duration_ratio": 0.5,
        "chars_per_s": 4.5,
        "phones_per_s": 4.5,
        "hit_length_cap": 0.0,
    }


@pytest.mark.parametrize("duration_s", [None, 0.0])
def test_no_source_recording_means_no_ratio(context, make_item, duration_s):
    assert math.isnan(score(context, make_item(source_duration_s=duration_s))["duration_ratio"])


def test_no_phones_spoken_is_a_rate_of_zero_and_not_unknown(context, make_item):
    assert score(context, make_item(phone_count=0))["phones_per_s"] == 0.0


def test_a_take_that_was_cut_off_is_marked(context, make_item):
    assert score(context, make_item(hit_length_cap=True))["hit_length_cap"] == 1.0
