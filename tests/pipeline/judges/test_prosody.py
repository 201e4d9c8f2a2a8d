"""The prosody judge measures what the transfer reached."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.judges.prosody import Prosody
from pipeline.prosody.profile import SCALARS


@pytest.fixture(scope="module")
def judge_batch(context):
    """The loaded judge."""
    return Prosody().load(context)


def test_a_take_left_as_it_was_and_asked_to_be_so_has_no_distance(judge_batch, make_item):
    [scores] = judge_batch([make_item("kids")])
    errors = {name: value for name, value in scores.items() if name not in SCALARS}
    assert errors == pytest.approx(dict.fromkeys(set(Prosody.scores) - set(SCALARS), 0.0), abs=1e-6)


def test_the_numbers_of_a_take_are_those_of_its_own_profile(judge_batch, make_item):
    item = make_item("kids")
    quieter = make_item("kids", samples=item.samples / 2)
    unasked = make_item("kids", target=None)
    loud, quiet, alone = judge_batch([item, quieter, unasked])
    wanted = {name: getattr(item.profile, name) for name in SCALARS}
    assert {name: loud[name] for name in SCALARS} == wanted
    assert quiet["energy_db"] == pytest.approx(loud["energy_db"] - 6.02, abs=0.01)
    assert quiet["f0_level_st"] == pytest.approx(loud["f0_level_st"], abs=0.05)
    assert {name: alone[name] for name in SCALARS} == wanted
    assert np.isnan(alone["prosody_distance"])


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
