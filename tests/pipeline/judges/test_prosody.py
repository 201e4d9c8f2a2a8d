"""The prosody judge measures what the transfer reached."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.judges.prosody import Prosody


@pytest.fixture(scope="module")
def judge_batch(context):
    """The loaded judge."""
    return Prosody().load(context)


def test_a_take_left_as_it_was_and_asked_to_be_so_has_no_distance(judge_batch, make_item):
    [scores] = judge_batch([make_item("kids")])
    assert scores == pytest.approx(dict.fromkeys(Prosody.scores, 0.0), abs=1e-6)


def test_a_wish_not_granted_is_a_distance_in_its_own_dimension(judge_batch, make_item):
    item = make_item("kids")
    higher = replace(item.target, f0_level_st=4.0)
    [scores] = judge_batch([make_item("kids", target=higher)])
    assert scores["prosody_f0_level"] > 1.0
    assert scores["prosody_distance"] > 0.5
    assert scores["prosody_energy"] == pytest.approx(0.0, abs=1e-6)


def test_a_wish_granted_is_nearer_than_the_same_wish_ignored(judge_batch, make_item):
    item = make_item("kids")
    louder = replace(item.target, energy_db=-6.0)
    granted, ignored = judge_batch(
        [
            make_item("kids", target=louder, samples=item.samples / 2),
            make_item("kids", target=louder),
        ]
    )
    assert granted["prosody_energy"] == pytest.approx(0.0, abs=0.1)
    assert granted["prosody_distance"] < ignored["prosody_distance"]


def test_a_take_without_pitch_has_nothing_to_measure_and_so_passes_no_gate(judge_batch, make_item):
    silent = make_item("kids", samples=np.zeros(16_000, np.float32))
    [answer] = judge_batch([silent])
    assert set(answer) == set(Prosody.scores)
    assert np.isnan(list(answer.values())).all()
