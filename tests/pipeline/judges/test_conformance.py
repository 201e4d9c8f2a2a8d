"""What every judge promises, whatever it measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.emotions import Emotion
from pipeline.judges.any import AnyJudge
from pipeline.judges.autopcp import AutoPcp
from pipeline.judges.base import Judge, JudgeBatch, JudgeContext
from pipeline.judges.clipping import Clipping
from pipeline.judges.dimensions import Dimensions
from pipeline.judges.duration import Duration
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.expressivity import Expressivity
from pipeline.judges.probe import Probe
from pipeline.judges.prosody import Prosody
from pipeline.judges.quality import Quality
from pipeline.judges.speaker import Speaker
from pipeline.judges.speech import Speech
from pipeline.judges.transcript import Whisper
from pipeline.judges.wavlm import WavlmSpeaker
from pipeline.prosody.profile import SCALARS
from pipeline.records import Failure
from tests.unions import engines_of, names_of

SEVEN: dict[str, Emotion | None] = {
    **{label: label for label in ("angry", "fearful", "happy", "neutral", "sad", "surprised")},
    "disgust": "disgusted",
}
FOUR: dict[str, Emotion | None] = {
    "neu": "neutral", "hap": "happy", "ang": "angry", "sad": "sad",
}  # fmt: skip
JUDGES: Mapping[str, Callable[[Path], Judge]] = {
    "duration": lambda _: Duration(),
    "clipping": lambda _: Clipping(),
    "speech": lambda _: Speech(),
    "quality": lambda _: Quality(max_windows=1),
    "speaker": lambda _: Speaker(),
    "prosody": lambda _: Prosody(),
    "probe": lambda _: Probe(),
    "expressivity": lambda _: Expressivity(),
    "emotion-wav2vec2": lambda at: _emotion(at / "wav2vec2-emotion", "first", SEVEN),
    "emotion-hubert": lambda at: _emotion(at / "hubert-emotion", "second", FOUR),
    "emotion-wavlm": lambda at: _emotion(at / "wavlm-emotion", "third", FOUR),
    "emotion-whisper": lambda at: _emotion(at / "whisper-emotion", "fourth", SEVEN),
    "dimensions": lambda at: Dimensions(model=str(at / "dimensions")),
    "autopcp": lambda at: AutoPcp(
        model=str(at / "xlsr"), layer=1, comparator=str(at / "autopcp"), allow_pickle=True
    ),
    "whisper": lambda _: Whisper(model="small-espeak", window="short"),
    "wavlm": lambda at: WavlmSpeaker(model=str(at / "wavlm-speaker")),
}
NAN_WITHOUT_CONTEXT: Mapping[str, tuple[str, ...]] = {
    "duration": ("duration_ratio", "phones_per_s"),
    "prosody": tuple(name for name in Prosody.scores if name not in SCALARS),
    "probe": tuple(Probe.scores),
    "expressivity": ("pause_agreement", "pause_s", "source_syllables_per_s"),
    "dimensions": ("dimensions_distance",),
    "autopcp": ("autopcp",),
    "wavlm": ("wavlm_source_cosine",),
}
"""Scores that are NaN for a text-only corpus and an engine that tells no phones."""

each_judge = pytest.mark.parametrize("judge", JUDGES, indirect=True)


def _emotion(folder: Path, name: str, labels: dict[str, Emotion | None]) -> Judge:
    return SpeechEmotion(name=name, model=str(folder), labels=labels)


@pytest.fixture(scope="module")
def judge(request: pytest.FixtureRequest, tiny_networks: Path) -> Judge:
    """A judge of each kind."""
    return JUDGES[request.param](tiny_networks)


@pytest.fixture(scope="module")
def loaded(context: JudgeContext):
    """Loads each judge once for all tests."""
    batches: dict[str, JudgeBatch] = {}

    def load(judge: Judge) -> JudgeBatch:
        key = judge.fingerprint()
        batches[key] = batches.get(key) or judge.load(context)
        return batches[key]

    return load


@pytest.fixture(scope="module")
def items(make_item, voices):
    """Takes of different lengths, languages and voices."""
    source = {"source": make_item("short").samples, "source_text": "Leave me alone!"}
    return [
        make_item("kids", **source),
        make_item("short", voices[1], **source),
        make_item("hund", voices[1], **source),
    ]


def test_every_judge_is_held_to_it(tiny_networks):
    made = [make(tiny_networks) for make in JUDGES.values()]
    lacking = set(names_of(AnyJudge)) - {judge.engine for judge in made}
    assert not lacking, f"make one of {lacking} in `JUDGES` here"
    assert {type(judge) for judge in made} == set(engines_of(AnyJudge))


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
    for answer in loaded(judge)(items):
        words = ("transcript",) if judge.transcribes else ()
        assert tuple(answer) == (*judge.scores, *words)
        assert all(type(answer[name]) is str for name in words)
        assert all(
            type(answer[name]) is float and math.isfinite(answer[name]) for name in judge.scores
        )


@each_judge
def test_what_a_take_lacks_is_nan_in_the_documented_scores_only(judge, loaded, make_item):
    bare = make_item(
        target=None, reference=None, phone_count=None, source_duration_s=None,
        source_phone_count=None, source=None, source_text=None,
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


def test_no_two_judges_write_the_same_score(tiny_networks):
    names = [name for make in JUDGES.values() for name in make(tiny_networks).scores]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("engine", engines_of(AnyJudge), ids=names_of(AnyJudge))
def test_every_judge_says_what_it_checks(engine):
    assert isinstance(engine.checks, str)
    assert engine.checks.strip()


@each_judge
def test_every_score_is_explained_in_words_of_its_own(judge):
    assert all(len(about.split()) > 2 for about in judge.scores.values())
    assert len(set(judge.scores.values())) == len(judge.scores)


def test_a_judge_that_does_not_say_what_it_checks_is_refused_before_any_work():
    class Silent(Judge):
        engine: str = "silent"
        scores: ClassVar[Mapping[str, str]] = {"loudness": "level, dB"}

        def load(self, context: JudgeContext) -> JudgeBatch:
            raise NotImplementedError

    with pytest.raises(TypeError, match="checks"):
        Silent()
