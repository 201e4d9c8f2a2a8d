"""Broken waveforms never reach a judge, and their failure says what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.judges.usable import fault, usable_only
from pipeline.records import Failure


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (np.zeros(0), "the take has no samples"),
        (np.array([0.0, np.nan, np.inf]), "2 of the take's 3 samples are not finite"),
        (np.zeros((2, 5)), "the take has 2 dimensions; a judge hears mono samples [T]"),
        (np.zeros(1), None),
    ],
)
def test_a_fault_says_what_is_wrong(samples, sentence):
    assert fault(samples) == sentence


def test_only_sound_items_are_scored_and_all_keep_their_place(make_item):
    broken = make_item(samples=np.full(4, np.nan))
    seen = []

    def score(items):
        seen.extend(items)
        return [{"place": float(number)} for number, _ in enumerate(items)]

    sound = [make_item("kids"), make_item("hund")]
    answers = usable_only(score)([broken, sound[0], broken, sound[1]])
    assert seen == sound
    assert [answer for answer in answers if isinstance(answer, dict)] == [
        {"place": 0.0},
        {"place": 1.0},
    ]
    assert answers[0] == answers[2] == Failure("judge", "4 of the take's 4 samples are not finite")
