"""The columns of prosody are what was measured, and what the transfer was asked for."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.dataset.prosody import PROSODY, prosody_of
from pipeline.prosody.profile import SCALARS, Profile, measure
from pipeline.prosody.target import Target, from_emotion, from_source
from pipeline.records import Take
from tests.pipeline.prosody.signals import RATE, voice


def take(target: Target | None, reference: Profile | None) -> Take:
    asked = None if target is None else json.dumps(target.to_dict())
    neutral = None if reference is None else json.dumps(reference.to_dict())
    rest = ("f1", 1, 1.0, b"", RATE, 1.0, 16, asked, neutral, None, 0.0, False)
    return Take("a.de.0", "a", "de", 0, *rest)


@pytest.fixture(scope="module")
def neutral() -> Profile:
    return measure(voice(), RATE, 16)


def test_what_is_asked_is_in_the_numbers_of_what_is_measured(neutral: Profile) -> None:
    target = replace(from_emotion("angry", 1), rate_ratio=1.2, energy_db=6.0, pause_share=-0.9)
    columns = prosody_of(take(target, neutral), None)
    assert columns["prosody_source"] is None
    assert columns["prosody_neutral"] == pytest.approx(
        {name: getattr(neutral, name) for name in SCALARS}, abs=1e-4
    )
    asked = columns["prosody_target"]
    assert asked is not None
    assert tuple(asked) == PROSODY["prosody_target"]
    assert asked["rate_phones_s"] == pytest.approx(1.2 * neutral.rate_phones_s, abs=1e-3)
    assert asked["energy_db"] == pytest.approx(neutral.energy_db + 6.0, abs=1e-3)
    assert asked["pause_share"] == 0.0  # a share is no less than nothing


def test_a_take_that_is_as_its_source_has_what_was_asked(neutral: Profile) -> None:
    louder = measure(np.float32(0.5) * voice(), RATE, 14)
    columns = prosody_of(take(from_source(louder, neutral), neutral), json.dumps(louder.to_dict()))
    source, asked = columns["prosody_source"], columns["prosody_target"]
    assert source is not None
    assert asked == pytest.approx({name: source[name] for name in asked or {}}, abs=2e-3)


def test_where_nothing_was_put_on_there_is_nothing(neutral: Profile) -> None:
    columns = prosody_of(take(None, None), json.dumps(neutral.to_dict()))
    assert [name for name, numbers in columns.items() if numbers] == ["prosody_source"]
