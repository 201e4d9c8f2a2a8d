"""The transcript judge on a tiny random Whisper: what it writes, and what it refuses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.judges.base import JudgeContext
from pipeline.judges.listening import OWN
from pipeline.judges.transcript import Whisper
from pipeline.recipe_file import load_recipe
from pipeline.records import Failure
from pipeline.selection.gates import apply_gate
from pipeline.whisper.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from pipeline.whisper.encoding import encode_mels
from pipeline.whisper.transcribing import Clip, Transcriber
from tests.checkpoints.whisper import tiny_whisper

CONTEXT = JudgeContext(languages=("en", "de"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_checkpoint(path, tiny_whisper(2, audio_ctx=200, end_after=10, words_only=True), "tokens")
    return str(path)


@pytest.fixture(scope="module")
def judge(weights):
    return Whisper(model=weights, batch_size=2).load(CONTEXT)


@pytest.fixture(scope="module")
def items(make_item, voices):
    return [make_item("kids"), make_item("short", voices[1]), make_item("hund", voices[1])]


def test_every_score_is_written_and_finite(judge, items):
    for answer in judge(items):
        assert tuple(answer) == (*Whisper().scores, "transcript")
        assert all(math.isfinite(answer[name]) for name in Whisper().scores)
        assert answer["transcribed"] == 1
        assert 0 < answer["language_audio_probability"] < 1


@pytest.mark.parametrize("window", ["full", "short"])
def test_a_batch_scores_as_its_takes_do_alone(weights, items, window):
    judge = Whisper(model=weights, window=window, batch_size=3).load(CONTEXT)
    for together, item in zip(judge(items), items, strict=True):
        assert_alike(judge([item])[0], together)


def assert_alike(one, other):
    """The same words, and numbers that differ by rounding at most."""
    (heard, numbers), (others, expected) = apart(one), apart(other)
    assert heard == others
    assert numbers == pytest.approx(expected, rel=1e-4, abs=1e-4)


def apart(answer):
    numbers = dict(answer)
    return numbers.pop("transcript"), numbers


def test_a_take_that_says_its_text_has_no_errors(weights, make_item):
    item = make_item("hund")
    transcriber = Transcriber(load_checkpoint(weights), CONTEXT.languages)
    heard = transcriber([Clip(item.samples, item.text, "de")])[0]
    judge = Whisper(model=weights).load(CONTEXT)
    right, wrong = judge([make_item("hund", text=heard.text), item])
    assert right["transcript"] == wrong["transcript"] == heard.text
    assert right["cer"] == right["wer"] == right["missing_start"] == right["missing_end"] == 0
    assert right["average_log_probability"] == pytest.approx(heard.average_log_probability)
    assert wrong["cer"] > 0.5
    assert wrong["language_audio_probability"] == pytest.approx(
        heard.language_probabilities["de"], abs=1e-5
    )


def test_silence_is_not_transcribed(judge, make_item):
    silent, spoken = judge([make_item(samples=np.zeros(32_000, np.float32)), make_item()])
    assert silent["transcribed"] == 0
    assert "transcript" not in silent
    assert silent["cer"] == silent["wer"] == silent["missing_start"] == silent["missing_end"] == 1
    assert math.isnan(silent["average_log_probability"])
    assert math.isnan(silent["text_log_probability"])
    assert math.isnan(silent["language_audio_probability"])
    assert spoken["transcribed"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": np.full(16_000, np.nan, np.float32)}, "not finite"),
        ({"samples": np.zeros(100, np.float32)}, "10 ms or more"),
        ({"text": ""}, "no letter or digit"),
        ({"text": "[laughter]"}, "empty after normalisation"),
        ({"text": "gut " * 100}, "split the sentence"),
        ({"language": "zh"}, "not one of the recipe's"),
    ],
)
def test_what_cant_be_judged_fails_alone(judge, make_item, changes, message):
    failed, scored = judge([make_item(**changes), make_item()])
    assert isinstance(failed, Failure)
    assert failed.stage == "judge"
    assert message in failed.error
    assert scored["transcribed"] == 1


def test_a_take_that_does_not_fit_into_memory_fails_alone(weights, make_item, monkeypatch):
    judge = Whisper(model=weights, window="short").load(CONTEXT)
    long, short = make_item("kids"), make_item("hund")
    [expected] = judge([short])
    assert len(short.samples) < len(long.samples)

    def narrow(model, mels, frames):
        if mels[0].shape[1] > len(short.samples) // 160:
            raise MemoryError("no room")
        return encode_mels(model, mels, frames)

    monkeypatch.setattr("pipeline.whisper.transcribing.encode_mels", narrow)
    failed, scored = judge([long, short])
    assert failed == Failure("judge", "out of memory on this row alone: no room")
    assert_alike(scored, expected)


def test_no_items_are_no_scores(judge):
    assert judge([]) == []


def test_pinned_settings_refuse_other_weights(weights):
    pinned = Whisper(model=weights).pinned()
    assert pinned.load(CONTEXT)
    assert pinned.pinned() == pinned
    assert Whisper(model="base").pinned().sha256.startswith("ed3a0b6b")
    with pytest.raises(CheckpointError, match="the recipe pins"):
        Whisper(model=weights, sha256="0" * 64).load(CONTEXT)


@pytest.mark.parametrize(
    "fields",
    [{"sha256": "abc"}, {"window": "tiny"}, {"batch_size": 0}, {"language_temperature": 0}],
)
def test_a_wrong_setting_is_named(fields):
    with pytest.raises(ValidationError, match=next(iter(fields))):
        Whisper(**fields)


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "larger.safetensors"
    model = tiny_whisper(3, width=48, audio_ctx=200, end_after=6, words_only=True)
    save_checkpoint(path, model, "tokens")
    return str(path)


def heard_by_both(weights, larger, items, between, **settings):
    borderline = {"model": larger, "between": between}
    return Whisper(model=weights, borderline=borderline, **settings).load(CONTEXT)(items)


def test_takes_near_the_gate_have_the_second_one_s_error_rates_and_no_others(
    weights, larger, items
):
    firsts, seconds = (Whisper(model=one).load(CONTEXT)(items) for one in (weights, larger))
    rates = sorted(one["cer"] for one in firsts)
    both = heard_by_both(weights, larger, items, (rates[0], rates[1]))
    assert sum(one["heard_twice"] for one in both) == 2
    for first, second, found in zip(firsts, seconds, both, strict=True):
        assert found["first_cer"] == first["cer"]
        assert found["heard_twice"] == float(first["cer"] <= rates[1])
        decided = second if found["heard_twice"] else first
        assert found["transcript"] == decided["transcript"]
        for name in ("cer", "wer", "missing_start", "missing_end", "repetition"):
            assert found[name] == decided[name]
        for name in OWN:
            assert found[name] == pytest.approx(first[name], abs=1e-6)


@pytest.mark.parametrize("window", ["full", "short"])
def test_a_batch_heard_twice_scores_as_its_takes_do_alone(weights, larger, items, window):
    borderline = {"model": larger, "between": (0, 100), "score": "wer"}
    judge = Whisper(model=weights, window=window, borderline=borderline)
    hear = judge.load(CONTEXT)
    for together, item in zip(hear(items), items, strict=True):
        assert tuple(together) == (*judge.scores, "transcript")
        assert_alike(hear([item])[0], together)


def test_the_second_model_is_opened_by_the_first_take_that_asks_for_it(weights, items):
    gone = {"model": "gone.pt", "between": (99, 100)}
    judge = Whisper(model=weights, borderline=gone).load(CONTEXT)
    assert {one["heard_twice"] for one in judge(items)} == {0.0}
    eager = Whisper(model=weights, borderline={**gone, "between": (0, 100)}).load(CONTEXT)
    with pytest.raises(CheckpointError, match=r"gone\.pt"):
        eager(items)


def test_silence_and_broken_takes_are_not_heard_twice(weights, larger, make_item):
    silent = make_item(samples=np.zeros(32_000, np.float32))
    broken = make_item(samples=np.full(16_000, np.nan, np.float32))
    scores, failed = heard_by_both(weights, larger, [silent, broken], (0, 100))
    assert (scores["transcribed"], scores["heard_twice"], scores["cer"]) == (0, 0, 1)
    assert isinstance(failed, Failure)


def test_both_models_are_pinned(weights, larger):
    pinned = Whisper(model=weights, borderline={"model": larger}).pinned()
    assert len(pinned.borderline.sha256) == 64 != pinned.sha256
    assert pinned.pinned() == pinned
    other = pinned.borderline.model_copy(update={"sha256": pinned.sha256, "between": (0, 100)})
    assert pinned.model_copy(update={"borderline": other}).fingerprint() != pinned.fingerprint()


@pytest.mark.parametrize("between", [(0.4, 0.1), (-1, 1), (0.2, 0.2)])
def test_limits_that_hold_nothing_are_refused(between):
    with pytest.raises(ValidationError, match="the limits go up"):
        Whisper(borderline={"between": between})


def test_the_bundled_weights_tell_a_sentence_from_another_and_from_a_cut_one(make_item):
    recipe = load_recipe("quickstart")
    [judge] = [one for one in recipe.judges if isinstance(one, Whisper)]
    gate = recipe.gates["transcript"]
    right = [make_item("kids"), make_item("hund"), make_item("short")]
    cut = [replace(one, samples=one.samples[: len(one.samples) * 2 // 3]) for one in right[:2]]
    other = [replace(right[0], text=right[2].text), replace(right[2], text=right[0].text)]
    items = [*right, *cut, *other]
    scores = judge.load(CONTEXT)(items)
    columns = {gate.score: np.array([one[gate.score] for one in scores])}
    verdict = apply_gate(gate, columns, np.array([item.language for item in items]))
    assert verdict.passed.tolist() == [True] * 3 + [False] * 4
