"""What every judge promises, whatever it measures."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.judges.base import Judge, JudgeContext
from pipeline.judges.clipping import Clipping
from pipeline.judges.duration import Duration
from pipeline.judges.language import TextLanguage
from pipeline.judges.probe import Probe
from pipeline.judges.prosody import Prosody
from pipeline.judges.quality import Quality
from pipeline.judges.speaker import Speaker
from pipeline.judges.speech import Speech
from pipeline.records import Failure

JUDGES: tuple[Judge, ...] = (
    Duration(),
    Clipping(),
    Speech(),
    Quality(max_windows=1),
    Speaker(),
    TextLanguage(),
    Prosody(),
    Probe(),
)
NAN_WITHOUT_CONTEXT: Mapping[str, tuple[str, ...]] = {
    "duration": ("duration_ratio", "phones_per_s"),
    "prosody": Prosody.scores,
    "probe": Probe.scores,
}
"""Scores that are NaN for a text-only corpus and an engine that tells no phones."""

each_judge = pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.engine)


@pytest.fixture(scope="module")
def loaded(context: JudgeContext):
    """Loads each judge once for all tests."""
    batches = {judge.engine: judge.load(context) for judge in JUDGES}
    return lambda judge: batches[judge.engine]


@pytest.fixture(scope="module")
def items(make_item, voices):
    """Takes of different lengths, languages and voices."""
    return [make_item("kids"), make_item("short", voices[1]), make_item("hund", voices[1])]


@each_judge
def test_a_batch_scores_as_its_takes_do_alone_and_in_their_order(judge, loaded, items):
    judge_batch = loaded(judge)
    together = judge_batch(items)
    alone = [judge_batch([item])[0] for item in items]
    backwards = judge_batch(items[::-1])[::-1]
    for batched, single, reverse in zip(together, alone, backwards, strict=True):
        for name in judge.scores:
            assert batched[name] == pytest.approx(single[name], abs=1e-5, nan_ok=True)
            assert batched[name] == pytest.approx(reverse[name], abs=1e-5, nan_ok=True)


@each_judge
def test_every_score_is_written_and_finite(judge, loaded, items):
    for scores in loaded(judge)(items):
        assert tuple(scores) == judge.scores
        assert all(type(value) is float and math.isfinite(value) for value in scores.values())


@each_judge
def test_what_a_take_lacks_is_nan_in_the_documented_scores_only(judge, loaded, make_item):
    bare = make_item(
        target=None, reference=None, phone_count=None, source_duration_s=None,
        source_phone_count=None,
    )  # fmt: skip
    [scores] = loaded(judge)([bare])
    missing = tuple(name for name in judge.scores if math.isnan(scores[name]))
    assert missing == NAN_WITHOUT_CONTEXT.get(judge.engine, ())


@each_judge
@pytest.mark.parametrize(
    "samples",
    [np.full(16_000, np.nan, np.float32), np.zeros(0, np.float32)],
    ids=["not-finite", "empty"],
)
def test_a_broken_take_fails_alone(judge, loaded, items, make_item, samples):
    broken = make_item(samples=samples, text=" ")
    answers = loaded(judge)([items[0], broken, items[1]])
    assert isinstance(answers[1], Failure)
    assert answers[1].stage == "judge"
    assert answers[1].error
    assert answers[0] == pytest.approx(loaded(judge)([items[0]])[0], abs=1e-5)
    assert not isinstance(answers[2], Failure)


@each_judge
def test_a_batch_without_takes_has_no_scores(judge, loaded):
    assert loaded(judge)([]) == []


@each_judge
def test_settings_survive_the_way_through_a_file(judge):
    assert type(judge).model_validate_json(judge.model_dump_json()) == judge
    assert type(judge).model_validate(judge.model_dump()).fingerprint() == judge.fingerprint()


@each_judge
def test_an_unknown_setting_is_refused_by_name(judge):
    with pytest.raises(ValidationError, match="loudness"):
        type(judge).model_validate({**judge.model_dump(), "loudness": 3})


@each_judge
def test_another_engine_name_is_refused(judge):
    with pytest.raises(ValidationError, match=judge.engine):
        TypeAdapter(type(judge)).validate_python({"engine": "ear"})


def test_no_two_judges_write_the_same_score():
    names = [name for judge in JUDGES for name in judge.scores]
    assert len(names) == len(set(names))
