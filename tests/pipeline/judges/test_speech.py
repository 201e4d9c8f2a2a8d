"""The speech judge is Silero's detector, clip for clip."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from pipeline.judges.bundled import open_onnx, package_folder
from pipeline.judges.speech import MODEL, Speech, levelled, speech_probabilities


@pytest.fixture(scope="module")
def judge_batch(context):
    """The loaded judge."""
    return Speech().load(context)


@pytest.fixture(scope="module")
def silero():
    """Seconds of speech by the package's own path: its own model, one window after another."""
    import torch
    from silero_vad import get_speech_timestamps, load_silero_vad

    model = load_silero_vad(onnx=False)

    def speech_s(samples):
        segments = get_speech_timestamps(torch.from_numpy(samples), model)
        return sum(segment["end"] - segment["start"] for segment in segments) / 16_000

    return speech_s


def test_clips_of_all_lengths_in_one_batch_score_as_in_the_package(judge_batch, silero, make_item):
    spoken = make_item("kids").samples
    clips = [spoken, spoken[:700], spoken[:20_001], np.concatenate([spoken, spoken, spoken])]
    answers = judge_batch([make_item(samples=clip) for clip in clips])
    for clip, scores in zip(clips, answers, strict=True):
        assert scores["speech_s"] == pytest.approx(silero(levelled(clip)), abs=1e-6)
        assert scores["speech_share"] == pytest.approx(
            16_000 * silero(levelled(clip)) / len(clip), abs=1e-6
        )


def test_human_speech_scores_as_in_the_package(judge_batch, silero, make_item, human_speech):
    [scores] = judge_batch([make_item(samples=human_speech)])
    assert scores["speech_s"] == pytest.approx(silero(levelled(human_speech)), abs=1e-6)
    assert 0.6 < scores["speech_share"] < 1.0


def test_a_quiet_take_is_heard_as_a_loud_one(judge_batch, make_item):
    loud = levelled(make_item("kids").samples)
    quiet = loud * np.float32(10 ** (-25 / 20))
    one, other = judge_batch([make_item(samples=loud), make_item(samples=quiet)])
    assert other["speech_s"] == pytest.approx(one["speech_s"], abs=0.05)
    assert one["speech_share"] > 0.6


@pytest.mark.parametrize("gain_db", [-25, 0, 15])
def test_every_clip_is_heard_at_20_db_below_full_scale(gain_db):
    sine = 0.1 * np.sin(np.arange(16_000) / 10) * 10 ** (gain_db / 20)
    assert np.sqrt(np.mean(levelled(sine) ** 2)) == pytest.approx(0.1, rel=1e-3)


def test_what_is_all_but_silent_is_raised_by_30_db_and_not_to_speech():
    hiss = np.full(1600, 1e-5, np.float32)
    assert levelled(hiss) == pytest.approx(hiss * 10**1.5, rel=1e-3)
    assert not levelled(np.zeros(1600, np.float32)).any()


def test_the_batch_changes_no_probability(make_item):
    session = open_onnx(package_folder("silero_vad", "silero-vad") / MODEL)
    clips = [make_item("short").samples, make_item("kids").samples, np.ones(1, np.float32)]
    together = speech_probabilities(session, clips)
    assert [len(found) for found in together] == [-(-len(clip) // 512) for clip in clips]
    for clip, found in zip(clips, together, strict=True):
        np.testing.assert_allclose(found, speech_probabilities(session, [clip])[0], atol=1e-6)


def test_silence_and_noise_are_no_speech(judge_batch, make_item):
    noise = np.random.default_rng(0).normal(0, 0.05, 32_000).astype(np.float32)
    silence = np.zeros(32_000, np.float32)
    answers = judge_batch([make_item(samples=samples) for samples in (silence, noise)])
    assert answers == [{"speech_share": 0.0, "speech_s": 0.0}] * 2


def test_silence_around_it_lowers_the_share_and_not_the_seconds(judge_batch, make_item):
    spoken = make_item("kids").samples
    framed = np.pad(spoken, 16_000)
    bare, padded = judge_batch([make_item(samples=spoken), make_item(samples=framed)])
    assert padded["speech_s"] == pytest.approx(bare["speech_s"], abs=0.3)
    assert padded["speech_share"] < bare["speech_share"] - 0.2


def test_a_higher_threshold_finds_no_more_speech(context, make_item):
    found = [
        Speech(threshold=threshold).load(context)([make_item("kids")])[0]["speech_s"]
        for threshold in (0.2, 0.5, 0.95)
    ]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_loading_leaves_the_number_of_threads_of_the_process_alone():
    program = (
        "import torch; torch.set_num_threads(3)\n"
        "from pipeline.judges.base import JudgeContext\n"
        "from pipeline.judges.speech import Speech\n"
        "Speech().load(JudgeContext(('en',)))\n"
        "print(torch.get_num_threads())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"3"]
