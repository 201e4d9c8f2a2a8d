"""The probe knows its own worth, and judges takes by how human speakers move."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.judges.base import JudgeContext
from pipeline.judges.probe import Probe, fit, unfit
from pipeline.prosody.profile import SCALARS


def sources(effect, speakers=12, clips=4, seed=0):
    """Clips of three emotions, `effect` standard deviations apart in every number."""
    random = np.random.default_rng(seed)
    return [
        (f"speaker-{speaker}", emotion, random.normal(effect * place, 1.0, len(SCALARS)))
        for speaker in range(speakers)
        for place, emotion in ((-1, "sad"), (0, "neutral"), (1, "happy"))
        for _ in range(clips)
    ]


def test_emotions_far_apart_are_known_and_emotions_alike_are_guessed():
    assert fit(sources(effect=2.0)).uar > 0.95
    assert fit(sources(effect=0.0)).uar == pytest.approx(1 / 3, abs=0.12)


def test_what_only_tells_speakers_apart_earns_no_recall():
    """Each speaker has one emotion and a voice of its own; folds by clip would score 1."""
    random = np.random.default_rng(1)
    rows = []
    for speaker in range(12):
        voice = random.normal(0, 5.0, len(SCALARS))
        emotion = ("sad", "happy")[speaker % 2]
        rows += [
            (f"speaker-{speaker}", emotion, voice + random.normal(0, 0.1, len(SCALARS)))
            for _ in range(10)
        ]
    assert fit(rows).uar < 0.8


def test_the_fit_is_the_same_every_time_and_says_what_it_was_fitted_on():
    rows = sources(effect=1.0)
    first, second = fit(rows), fit(rows)
    assert first.classes == ("happy", "neutral", "sad")
    assert (first.clips, len(first.by_speaker)) == (len(rows), 12)
    profiles = np.stack([profile for _, _, profile in rows])
    assert first.uar == second.uar
    for who in ("speaker-0", "nobody"):
        left, right = (one.heard_without(who).predict_proba(profiles) for one in (first, second))
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        sources(effect=1.0, speakers=1),
        [row for row in sources(effect=1.0) if row[1] == "sad"],
    ],
    ids=["none", "one-speaker", "one-emotion"],
)
def test_of_too_few_speakers_or_emotions_nothing_can_be_said(rows, make_item):
    with pytest.raises(ValueError, match="remove 'probe' from the recipe's judges"):
        fit(rows)
    [scores] = Probe().load(JudgeContext(("en",), sources=rows))([make_item(emotion="sad")])
    assert set(scores) == set(Probe.scores)
    assert all(math.isnan(value) for value in scores.values())


def test_emotions_that_cannot_be_tested_on_other_speakers_are_refused():
    only = {"speaker-0": "sad", "speaker-1": "happy"}
    rows = [row for row in sources(effect=1.0, speakers=2) if row[1] == only[row[0]]]
    with pytest.raises(ValueError, match="too few speakers to test on others"):
        fit(rows)
    assert unfit(sources(effect=1.0, speakers=2)) is None


def test_one_speaker_without_whom_there_is_one_emotion_is_enough_to_refuse():
    rows = [row for row in sources(effect=1.0, speakers=3) if row[1] == "happy"]
    rows += [("speaker-0", "sad", row[2]) for row in rows if row[0] == "speaker-0"]
    assert "too few speakers" in unfit(rows)


def moved(make_item, by, **changes):
    """A take whose profile is that of its reference, moved by `by` in every number."""
    item = make_item("kids")
    shifted = {name: getattr(item.reference, name) - by for name in SCALARS}
    return make_item("kids", reference=replace(item.reference, **shifted), **changes)


def test_a_take_that_moves_as_the_wanted_emotion_does_is_believed(make_item):
    judge_batch = Probe().load(JudgeContext(("en",), sources=sources(effect=2.0)))
    right, wrong, between = judge_batch(
        [
            moved(make_item, 2.0, emotion="happy"),
            moved(make_item, -2.0, emotion="happy"),
            moved(make_item, 1.0, emotion="happy"),
        ]
    )
    assert right["probe_probability"] > 0.9
    assert right["probe_margin"] > 0.8
    assert wrong["probe_probability"] < 0.1
    assert wrong["probe_margin"] < -0.8
    assert right["probe_entropy"] < between["probe_entropy"] <= 1.0


def test_an_emotion_that_no_source_has_cannot_be_judged(make_item):
    judge_batch = Probe().load(JudgeContext(("en",), sources=sources(effect=2.0)))
    [scores] = judge_batch([make_item(emotion="disgusted")])
    assert all(math.isnan(value) for value in scores.values())


def test_a_take_without_a_voiced_frame_cannot_be_judged(make_item):
    judge_batch = Probe().load(JudgeContext(("en",), sources=sources(effect=2.0)))
    silent, spoken = judge_batch([make_item(samples=np.zeros(16_000, np.float32)), make_item()])
    assert all(math.isnan(value) for value in silent.values())
    assert all(math.isfinite(value) for value in spoken.values())


def test_a_take_is_judged_by_a_probe_that_never_heard_its_speaker(make_item):
    """A speaker who alone says something his own way is believed by what was fitted on him."""
    odd = [("odd", "happy", np.full(len(SCALARS), -2.0)) for _ in range(200)]
    judge_batch = Probe().load(JudgeContext(("en",), sources=[*sources(effect=2.0), *odd]))
    his, anothers = judge_batch(
        [
            moved(make_item, -2.0, emotion="happy", source_speaker=who)
            for who in ("odd", "speaker-0")
        ]
    )
    assert his["probe_probability"] < 0.1 < 0.4 < anothers["probe_probability"]
