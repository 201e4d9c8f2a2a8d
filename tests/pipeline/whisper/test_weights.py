"""The weights that ship: small, complete, in openai-whisper's own shape."""

from __future__ import annotations

from importlib.resources import files

import pytest
import torch
from whisper.decoding import DecodingOptions, decode
from whisper.model import Whisper

from pipeline.whisper.checkpoint import BUNDLED, load_checkpoint, pinned_sha256
from pipeline.whisper.transcribing import Clip, Transcriber
from tests.pipeline.whisper.sounds import clip

LARGEST_BYTES = 12_000_000


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_weights_are_small_and_pinned(name):
    found = [file for file in files("pipeline.whisper.weights").iterdir() if name in file.name]
    assert {file.name for file in found} == {f"{name}.safetensors", f"{name}.json"}
    assert sum(len(file.read_bytes()) for file in found) < LARGEST_BYTES
    checkpoint = load_checkpoint(name)
    assert checkpoint.sha256 == pinned_sha256(name)
    assert checkpoint.spelling == "letters"
    assert isinstance(checkpoint.model, Whisper)
    assert checkpoint.model.is_multilingual


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_weights_are_a_whisper_to_openai_whisper_too(name):
    """The rows that are left out of the file change no choice of `whisper.decode`."""
    checkpoint = load_checkpoint(name, dtype="float32")
    window = 2 * checkpoint.model.dims.n_audio_ctx
    transcriber = Transcriber(checkpoint, ["de"])
    piece = transcriber.prepare(Clip(clip(2.0), "guten tag", "de"))[0]
    mel = torch.nn.functional.pad(piece.mel, (0, window - piece.mel.shape[1]))
    theirs = decode(
        checkpoint.model, mel, DecodingOptions(language="de", without_timestamps=True, fp16=False)
    )
    [ours] = transcriber([Clip(clip(2.0), "guten tag", "de")])
    assert ours.tokens == theirs.tokens
    assert ours.average_log_probability == pytest.approx(theirs.avg_logprob, abs=1e-4)
