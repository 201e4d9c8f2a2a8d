from __future__ import annotations

import numpy as np
import pytest
import torch
import whisper

from pipeline.whisper.encoding import encode, encode_mels, log_mel, window_frames, windows
from tests.checkpoints.whisper import tiny_whisper
from tests.pipeline.whisper.sounds import clip


@pytest.fixture(scope="module")
def model():
    return tiny_whisper(audio_ctx=200)


@pytest.mark.parametrize("seconds", [0.31, 1.0, 2.505])
@pytest.mark.parametrize("n_mels", [80, 128])
def test_log_mel_is_that_of_transcribe(seconds, n_mels):
    samples = clip(seconds)
    theirs = whisper.log_mel_spectrogram(samples, n_mels, padding=480_000)[:, :-3000]
    assert torch.allclose(log_mel(samples, n_mels), theirs, atol=1e-5)


def test_the_full_window_is_encoded_as_whisper_does(model):
    mel = log_mel(clip(1.0), 80)
    padded = whisper.pad_or_trim(mel, 400)
    assert torch.allclose(encode_mels(model, [mel], 400), model.encoder(padded[None]), atol=1e-5)


def test_a_short_window_depends_on_the_clip_alone(model):
    assert [window_frames(n, model, "short") for n in (1, 50, 51, 160, 340, 399)] == [
        100, 100, 200, 300, 400, 400,
    ]  # fmt: skip
    assert window_frames(1, model, "full") == 400


@pytest.mark.parametrize("window", ["full", "short"])
def test_frames_and_lengths_of_a_batch_are_those_of_each_clip(model, window):
    clips = [clip(s, i) for i, s in enumerate((0.5, 2.2, 1.1, 0.8, 9.0))]
    together = encode(model, clips, window, batch_size=2)
    assert together.lengths.tolist() == [25, 110, 55, 40, 450]
    assert together.frames.shape == (5, 450, 32)
    for row, samples in enumerate(clips):
        alone = encode(model, [samples], window).frames[0]
        length = together.lengths[row]
        assert torch.allclose(together.frames[row, :length], alone, atol=1e-4)
        assert not together.frames[row, length:].any()


@pytest.mark.parametrize("window", ["full", "short"])
def test_batches_that_do_not_fit_are_halved_and_give_the_same(model, window, monkeypatch):
    clips = [clip(0.5 + 0.1 * i, i) for i in range(5)]
    expected = encode(model, clips, window, batch_size=5)

    def narrow(model, mels, frames):
        if len(mels) > 2:
            raise MemoryError("no room")
        return encode_mels(model, mels, frames)

    monkeypatch.setattr("pipeline.whisper.encoding.encode_mels", narrow)
    halved = encode(model, clips, window, batch_size=5)
    assert torch.equal(halved.lengths, expected.lengths)
    assert torch.allclose(halved.frames, expected.frames, atol=1e-5)


def test_a_clip_that_does_not_fit_alone_is_refused(model, monkeypatch):
    def none(*_):
        raise MemoryError("no room")

    monkeypatch.setattr("pipeline.whisper.encoding.encode_mels", none)
    with pytest.raises(MemoryError, match="out of memory on this row alone: no room"):
        encode(model, [clip(0.5)])


def test_the_trainer_can_go_through_frozen_frames(model):
    frames = encode(model, [clip(0.5)]).frames
    weight = torch.ones(32, requires_grad=True)
    (frames @ weight).sum().backward()
    assert weight.grad is not None


def test_long_clips_are_cut_where_it_is_quiet_and_nothing_is_lost(model):
    samples = clip(7.0)
    samples[int(3.5 * 16_000) : int(3.7 * 16_000)] = 0
    mel = log_mel(samples, 80)
    pieces = list(windows(mel, model))
    assert torch.equal(torch.cat(pieces, dim=1), mel)
    assert all(piece.shape[1] <= 400 for piece in pieces)
    assert 350 <= pieces[0].shape[1] <= 370


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.full(16_000, np.nan, np.float32), "NaN or infinite"),
        (np.zeros(0, np.float32), "expected one channel"),
        (np.zeros((2, 16_000), np.float32), "expected one channel"),
    ],
)
def test_broken_audio_is_refused(samples, message):
    with pytest.raises(ValueError, match=message):
        log_mel(samples, 80)
