"""The quality judge gives the speechmos package's own numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.judges import quality
from pipeline.judges.quality import Quality, windows
from pipeline.records import Failure

NAMES = {
    "dnsmos_sig": "sig_mos",
    "dnsmos_bak": "bak_mos",
    "dnsmos_ovrl": "ovrl_mos",
    "dnsmos_p808": "p808_mos",
}


@pytest.fixture(scope="module")
def judge_batch(context):
    """The loaded judge, all models and all windows."""
    return Quality().load(context)


@pytest.mark.parametrize("line", ["kids", "short"])
def test_scores_are_those_of_speechmos(judge_batch, make_item, line):
    from speechmos import dnsmos

    item = make_item(line)
    [scores] = judge_batch([item])
    published = dnsmos.run(item.samples, 16_000)
    for name, theirs in NAMES.items():
        assert scores[name] == pytest.approx(float(published[theirs]), abs=1e-3)


def test_human_speech_scores_as_in_speechmos_and_well(judge_batch, make_item, human_speech):
    from speechmos import dnsmos

    clip = human_speech[: 16_000 * 10]
    [scores] = judge_batch([make_item(samples=clip)])
    published = dnsmos.run(clip, 16_000)
    for name, theirs in NAMES.items():
        assert scores[name] == pytest.approx(float(published[theirs]), abs=1e-3)
    assert scores["dnsmos_ovrl"] > 2.5


@pytest.mark.parametrize("seconds", [1 / 16_000, 0.3, 1.0, 3.0, 4.505, 9.0, 9.01, 9.5, 17.2, 30.0])
def test_windows_are_those_that_speechmos_cuts(seconds):
    clip = np.random.default_rng(0).uniform(-1, 1, round(seconds * 16_000)).astype(np.float32)
    np.testing.assert_array_equal(windows(clip), windows_of_speechmos(clip))


def windows_of_speechmos(clip):
    """What the package itself hands to its network."""
    from speechmos.dnsmos import DNSMOS

    class Ear:
        def __init__(self):
            self.heard = []

        def run(self, _, inputs):
            self.heard.append(inputs["input_1"][0])
            return [np.ones((1, 3))]

    package = DNSMOS.__new__(DNSMOS)
    package.onnx_sess, package.p808_onnx_sess = Ear(), Ear()
    package.audio_melspec = lambda audio: np.zeros((900, 120))
    package(clip, 16_000, False)
    return package.onnx_sess.heard


def test_noise_lowers_the_opinion(context, make_item):
    judge_batch = Quality(max_windows=1).load(context)
    clean = make_item("kids")
    noise = np.random.default_rng(0).normal(0, 0.05, len(clean.samples)).astype(np.float32)
    noisy = make_item("kids", samples=clean.samples + noise)
    before, after = judge_batch([clean, noisy])
    assert after["dnsmos_bak"] < before["dnsmos_bak"] - 0.3
    assert after["dnsmos_ovrl"] < before["dnsmos_ovrl"]


def test_without_p835_only_the_cheap_score_is_left(context, make_item):
    judge = Quality(p835=False)
    [cheap] = judge.load(context)([make_item("kids")])
    assert tuple(cheap) == tuple(judge.scores) == ("dnsmos_p808",)
    assert 1.0 < cheap["dnsmos_p808"] < 5.0


def test_silence_has_an_opinion_score_too(context, make_item):
    item = make_item(samples=np.zeros(16_000, np.float32))
    [scores] = Quality(max_windows=1).load(context)([item])
    assert all(math.isfinite(value) for value in scores.values())


def test_windows_in_batches_score_as_they_do_one_by_one(context, make_item, monkeypatch):
    items = [make_item("kids"), make_item("short"), make_item("hund")]
    alone = Quality(p835=False).load(context)(items)
    monkeypatch.setattr("pipeline.judges.quality.on_gpu", lambda session: True)
    together = Quality(p835=False, windows_at_once=4).load(context)(items)
    for one, other in zip(alone, together, strict=True):
        assert other == pytest.approx(one, abs=1e-4)


def test_windows_that_do_not_fit_together_are_halved_and_score_the_same(
    context, make_item, monkeypatch
):
    items = [make_item("kids"), make_item("short"), make_item("hund")]
    monkeypatch.setattr("pipeline.judges.quality.on_gpu", lambda session: True)
    judge_batch = Quality(p835=False, windows_at_once=4).load(context)
    expected = judge_batch(items)
    state = pytest.importorskip("onnxruntime.capi.onnxruntime_pybind11_state")
    widths = []

    def narrow(session, batch):
        widths.append(len(batch))
        if len(batch) > 2:
            raise state.RuntimeException("Failed to allocate memory for requested buffer")
        return run(session, batch)

    run = quality._run
    monkeypatch.setattr(quality, "_run", narrow)
    for halved, one in zip(judge_batch(items), expected, strict=True):
        assert halved == pytest.approx(one, abs=1e-4)
    assert max(widths) == 4


def test_a_clip_of_which_no_window_fits_has_failed(context, make_item, monkeypatch):
    def none(*_):
        raise MemoryError("no room")

    judge_batch = Quality(p835=False).load(context)
    monkeypatch.setattr(quality, "_run", none)
    message = "out of memory on this row alone: no room"
    assert judge_batch([make_item("kids")]) == [Failure("judge", message)]


def test_cuda_that_is_not_there_is_refused_with_the_fix(context):
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(InputError, match="pip install onnxruntime-gpu"):
        Quality(device="cuda").load(context)
