"""The XTTS engine around its decoder: checkpoints, references, ends. Bad input is a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.audio import Clip
from pipeline.pretrained.named import ModelError
from pipeline.records import Failure
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.xtts.checkpoint import load_xtts
from pipeline.synthesis.xtts.conditioning import Conditioner, Conditioning
from pipeline.synthesis.xtts.engine import Reader, Xtts
from pipeline.synthesis.xtts.generation import Sampling
from pipeline.synthesis.xtts.vocoder import clean_ends

Recording = Callable[[int, float], Clip]


@pytest.fixture(scope="module")
def model(checkpoint: Callable[[str], Path]) -> Any:
    return load_xtts(checkpoint("xtts"), "cpu", "float32")


@pytest.fixture(scope="module")
def reader(model: Any) -> Reader:
    return Reader(model, Sampling(0.0, 50, 0.85, 5.0, max_tokens=3), batch_size=4)


def fail(reader: Reader, **fields: Any) -> str:
    (answer,) = reader.read([SpeechRequest(**{"language": "de", "voice": "a", "seed": 0} | fields)])
    assert isinstance(answer, Failure)
    return answer.error


def test_what_it_cannot_speak_is_a_sentence(reader: Reader, recording: Recording) -> None:
    heard = (recording(0, 0.6),)
    assert "has letters that xtts can't read as 'de': ולםש" in fail(
        reader, text="שלום", references=heard
    )
    assert "can't be cut into pieces of 253" in fail(reader, text="a" * 300, references=heard)
    assert "this utterance has none" in fail(reader, text="ja")
    digits = fail(reader, text=" ".join(["7777"] * 45), references=heard)
    assert "tokens, and this xtts reads" in digits
    assert "write numbers out or split the sentence" in digits
    short = fail(reader, text="ja", references=(recording(0, 0.3),))
    assert (
        "lasts 0.30 s and xtts needs more than 0.33 s; set synthesis.reference: speaker_emotion"
        in short
    )


def test_a_number_that_cannot_be_spelled_out_fails_alone(
    reader: Reader, recording: Recording
) -> None:
    heard = (recording(0, 0.6),)
    texts = ("Sí.", "Son " + "9" * 40, "No, gracias.")
    requests = [SpeechRequest(text, "es", "a", 0, references=heard) for text in texts]
    first, number, last = reader.read(requests)
    assert isinstance(number, Failure)
    assert number.stage == "synthesize"
    assert number.error.endswith("write numbers out in words")
    for request, answer in ((requests[0], first), (requests[2], last)):
        (alone,) = reader.read([request])
        assert isinstance(answer, Speech)
        assert isinstance(alone, Speech)
        np.testing.assert_allclose(answer.samples, alone.samples, atol=1e-5)


@pytest.mark.parametrize("rate_hz", [22_050, 24_000, 48_000])
def test_a_reference_that_loses_a_fraction_of_a_sample_fails_alone(
    reader: Reader, recording: Recording, rate_hz: int
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, int(0.33 * rate_hz)).astype(np.float32)
    heard = ((Clip(noise, rate_hz, 1),), (recording(0, 0.6),))
    requests = [SpeechRequest("Ja.", "de", "a", 0, references=clips) for clips in heard]
    short, whole = reader.read(requests)
    assert isinstance(short, Failure)
    assert "lasts 0.33 s and xtts needs more than 0.33 s" in short.error
    assert isinstance(whole, Speech)


def test_a_language_that_coqui_tts_does_not_know_is_a_sentence(
    model: Any, reader: Reader, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.config, "languages", [*model.config.languages, "ro"])
    error = fail(reader, text="Da.", language="ro", references=(recording(0, 0.6),))
    assert "Language 'ro' is not supported" in error


def test_a_short_clip_is_helped_by_the_speakers_others(model: Any, recording: Recording) -> None:
    made = Conditioner(model)([recording(0, 0.3), recording(1, 0.5)])
    assert isinstance(made, Conditioning)


def test_latents_are_kept_by_what_is_heard(model: Any, recording: Recording) -> None:
    conditioner = Conditioner(model)
    first = conditioner([recording(0, 0.5)])
    assert conditioner([recording(0, 0.5)]) is first
    assert conditioner([recording(1, 0.5)]) is not first


def test_a_long_text_is_spoken_in_pieces(reader: Reader, recording: Recording) -> None:
    request = SpeechRequest("Ja. " * 70, "de", "a", 0, references=(recording(0, 0.5),))
    one = SpeechRequest("Ja.", "de", "a", 0, references=(recording(0, 0.5),))
    long, short = reader.read([request, one])
    assert isinstance(long, Speech)
    assert isinstance(short, Speech)
    assert len(long.samples) > 1.5 * len(short.samples)
    assert long.hit_length_cap


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_it_speaks_in_half_precision_as_on_a_gpu(
    checkpoint: Callable[[str], Path], recording: Recording, dtype: str
) -> None:
    half = load_xtts(checkpoint("xtts"), "cpu", dtype)
    reader = Reader(half, Sampling(0.0, 50, 0.85, 5.0, max_tokens=3), batch_size=4)
    heard = (recording(0, 0.5),)
    texts = ("Ja.", "Nein, das ist es nicht.")
    answers = reader.read([SpeechRequest(one, "de", "a", 0, references=heard) for one in texts])
    for answer in answers:
        assert isinstance(answer, Speech)
        assert np.isfinite(answer.samples).all()
        assert answer.samples.any()


def test_silence_after_the_speech_goes_and_the_end_is_faded() -> None:
    speech = np.full(24_000, 0.5, np.float32)
    samples = np.concatenate([speech, np.zeros(48_000, np.float32)])
    cleaned = clean_ends(samples, 24_000)
    assert 24_000 < len(cleaned) <= 24_000 * 1.11
    assert clean_ends(speech, 24_000)[-1] == 0
    assert clean_ends(speech, 24_000)[-480] == pytest.approx(0.5)


def test_a_pickle_is_read_only_by_leave_and_as_tensors(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model": "xtts"}')
    (tmp_path / "vocab.json").write_text("{}")
    (tmp_path / "model.pth").write_bytes(b"\x80\x04cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(ModelError, match="allow_pickle: true"):
        Xtts(model=str(tmp_path)).load()
    with pytest.raises(ModelError, match=r"opened as XTTS.*more than tensors"):
        Xtts(model=str(tmp_path), allow_pickle=True, device="cpu").load()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no config.json"),
        ({"config.json": "{}"}, "no vocab.json"),
        ({"config.json": '{"model": "vits"}', "vocab.json": "{}"}, "of a model 'vits'"),
    ],
)
def test_a_folder_of_something_else_is_a_sentence(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ModelError, match=message):
        load_xtts(tmp_path, "cpu", "float32")
