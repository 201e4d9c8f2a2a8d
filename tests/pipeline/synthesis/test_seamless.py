"""SeamlessM4T v2: a batch of texts, some without an end, as transformers speaks each alone."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from pipeline.audio import Clip
from pipeline.languages import ABOUT
from pipeline.pretrained.transformer import open_model, open_tokenizer
from pipeline.records import Failure
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.seamless import SeamlessSpeech, _Inputs

CAP = 8
_END = 115
"""A token that the tiny model writes early for some recordings and never for others."""


@pytest.fixture(scope="module")
def folder(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "seamless"
    shutil.copytree(checkpoint("seamless"), folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token_id": _END}))
    return folder


@pytest.fixture(scope="module")
def engine(folder):
    return SeamlessSpeech(model=str(folder), device="cpu", longest_tokens=CAP)


@pytest.fixture(scope="module")
def requests():
    random = np.random.default_rng(0)
    languages = ("de", "es", "fr", "de", "it")
    lengths = (16_000, 9_001, 30_011, 5_000, 16_000)
    clips = [Clip((random.normal(size=n) * 0.1).astype(np.float32), 16_000, 1) for n in lengths]
    heard = [
        SpeechRequest("Ja.", language, f"speaker-{at}", 0, references=(clip,))
        for at, (language, clip) in enumerate(zip(languages, clips, strict=True))
    ]
    read = [SpeechRequest("Die Kinder reden.", "de", "speaker-3", 0)]
    return [*heard, *read, SpeechRequest("No.", "es", "speaker-1", 0)]


@pytest.fixture(scope="module")
def spoken(engine, requests):
    return engine.load()(requests)


def upstream(model, inputs, request):
    """What `SeamlessM4Tv2Model.generate` says of one request, and whether it came to an end."""
    with torch.inference_mode():
        made = model.generate(
            **inputs.of(request, model), tgt_lang=ABOUT[request.language].iso639_3,
            speaker_id=int(request.voice.removeprefix("speaker-")),
            return_intermediate_token_ids=True, text_num_beams=1, text_do_sample=False,
            text_max_new_tokens=CAP,
        )  # fmt: skip
    samples = made.waveform.flatten()[: int(made.waveform_lengths)].numpy()
    return samples, _END in made.sequences[0, 2:].tolist()


def test_a_batch_is_spoken_as_transformers_speaks_each_alone(folder, requests, spoken):
    model = open_model("SeamlessM4Tv2Model", folder, "cpu", "float32")
    inputs = _Inputs(open_tokenizer(folder), folder)
    ends = []
    for request, speech in zip(requests, spoken, strict=True):
        samples, ended = upstream(model, inputs, request)
        assert isinstance(speech, Speech)
        assert len(speech.samples) == len(samples)
        assert speech.samples == pytest.approx(samples, abs=1e-6)
        assert speech.hit_length_cap != ended
        ends.append(ended)
    assert 0 < sum(ends) < len(ends)


@pytest.mark.parametrize("batch_size", [1, 2])
def test_the_size_of_a_batch_changes_nothing(engine, requests, spoken, batch_size):
    other = engine.model_copy(update={"batch_size": batch_size}).load()
    for one, before in zip(other(requests[::-1])[::-1], spoken, strict=True):
        assert one.samples == pytest.approx(before.samples, abs=1e-6)


def test_a_recording_that_is_too_short_fails_alone(engine, requests):
    short = Clip(np.full(900, 0.1, np.float32), 16_000, 1)
    failed, good = engine.load()(
        [SpeechRequest("Ja.", "de", "speaker-0", 0, references=(short,)), requests[0]]
    )
    assert isinstance(failed, Failure)
    assert "seamless needs 0.1 s" in failed.error
    assert isinstance(good, Speech)
