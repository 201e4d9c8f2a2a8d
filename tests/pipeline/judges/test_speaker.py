"""The speaker judge tells voices apart, with resemblyzer's own embeddings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.judges.base import JudgeContext
from pipeline.judges.speaker import Speaker, load_embedder
from pipeline.records import Failure


@pytest.fixture(scope="module")
def judge_batch(context):
    """The loaded judge."""
    return Speaker().load(context)


def test_embeddings_in_a_batch_are_those_of_resemblyzer(make_item, voices):
    from resemblyzer import VoiceEncoder, preprocess_wav

    short = make_item("short").samples
    clips = [make_item("kids").samples, short, np.tile(short, 5), make_item("hund").samples]
    encoder = VoiceEncoder("cpu", verbose=False)
    for clip, ours in zip(clips, load_embedder()(clips), strict=True):
        theirs = encoder.embed_utterance(preprocess_wav(clip))
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_voice_is_likest_to_itself_in_another_language(judge_batch, make_item, voices):
    for voice in voices:
        [scores] = judge_batch([make_item("hund", voice)])
        assert scores["speaker_cosine"] > 0.7
        assert scores["speaker_margin"] > 0.1


def test_a_take_in_the_wrong_voice_has_a_negative_margin(judge_batch, make_item, voices):
    swapped = make_item("kids", voices[1]).samples
    right, wrong = judge_batch([make_item("kids"), make_item("kids", samples=swapped)])
    assert wrong["speaker_margin"] < 0 < right["speaker_margin"]
    assert wrong["speaker_cosine"] < right["speaker_cosine"]


def test_a_single_voice_has_no_margin(make_item, context, voices):
    alone = JudgeContext(("en",), {voices[0]: context.voices[voices[0]]})
    [scores] = Speaker().load(alone)([make_item("kids")])
    assert scores["speaker_cosine"] > 0.7
    assert math.isnan(scores["speaker_margin"])


def test_silence_has_no_voice_to_compare(judge_batch, make_item):
    silent = make_item(samples=np.zeros(16_000, np.float32))
    scores, _ = judge_batch([silent, make_item("kids")])
    assert all(math.isnan(value) for value in scores.values())


def test_a_voice_without_a_reference_fails_by_name(judge_batch, make_item):
    [answer] = judge_batch([make_item("kids", take_id="x", samples=make_item().samples)])
    assert not isinstance(answer, Failure)
    stranger = JudgeContext(("en",), {"carla": make_item("kids").samples})
    [answer] = Speaker().load(stranger)([make_item("kids")])
    assert isinstance(answer, Failure)
    assert make_item("kids").voice in answer.error


def test_no_voices_at_all_is_refused_with_the_fix():
    with pytest.raises(ValueError, match="remove 'speaker' from the recipe's judges"):
        Speaker().load(JudgeContext(("en",)))


def test_a_silent_reference_is_refused_by_name():
    mute = JudgeContext(("en",), {"carla": np.zeros(16_000, np.float32)})
    with pytest.raises(ValueError, match="no speech was found in the reference clip of carla"):
        Speaker().load(mute)
