"""Takes for the judges: spoken by espeak-ng, in two voices and two languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from pipeline.judges.base import JUDGE_RATE_HZ, JudgeContext, JudgeItem
from pipeline.prosody.profile import SCALARS, measure
from pipeline.prosody.target import from_source
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.espeak import Espeak
from tests.checkpoints import audio

NEUTRAL = "The train to the city leaves at nine and comes back in the evening."
LINES: Mapping[str, tuple[str, str]] = {
    "kids": ("en", "Kids are talking by the door, and nobody listens."),
    "hund": ("de", "Der Hund sitzt seit heute Morgen vor der Tür."),
    "short": ("en", "Leave me alone!"),
}

MakeItem = Callable[..., JudgeItem]


@pytest.fixture(scope="session")
def voices() -> tuple[str, str]:
    """A female and a male voice of espeak."""
    female = Espeak().voice_for("anna", "female", ())
    return female, Espeak().voice_for("bert", "male", (female,))


@pytest.fixture(scope="session")
def spoken(voices: tuple[str, str]) -> dict[tuple[str, str], Speech]:
    """Every line and the neutral one, by (line, voice)."""
    texts = {**LINES, "neutral": ("en", NEUTRAL)}
    names = [(line, voice) for line in texts for voice in voices]
    requests: list[Any] = [
        SpeechRequest(text=texts[line][1], language=texts[line][0], voice=voice, seed=0)  # type: ignore[arg-type]
        for line, voice in names
    ]
    answers = Espeak().load()(requests)
    return {name: _speech(answer) for name, answer in zip(names, answers, strict=True)}


def _speech(answer: object) -> Speech:
    if not isinstance(answer, Speech) or answer.sampling_rate != JUDGE_RATE_HZ:
        raise TypeError(f"espeak answered {answer!r}")
    return answer


@pytest.fixture(scope="session")
def make_item(spoken: Mapping[tuple[str, str], Speech], voices: tuple[str, str]) -> MakeItem:
    """Makes a take of a line; keywords replace what it would have."""

    def make(line: str = "kids", voice: str | None = None, **changes: Any) -> JudgeItem:
        voice = voice or voices[0]
        speech = spoken[line, voice]
        reference = measure(speech.samples, JUDGE_RATE_HZ, len(speech.phones))
        fields: dict[str, Any] = {
            "take_id": f"{line}-{voice}",
            "samples": speech.samples,
            "text": LINES[line][1],
            "language": LINES[line][0],
            "emotion": "happy",
            "voice": voice,
            "phone_count": len(speech.phones),
            "target": from_source(reference, reference),
            "reference": reference,
            "source_duration_s": 2.0,
            "source_phone_count": 30,
        }
        return JudgeItem(**{**fields, **changes})

    return make


@pytest.fixture(scope="session")
def context(spoken: Mapping[tuple[str, str], Speech], voices: tuple[str, str]) -> JudgeContext:
    """A recipe of English and German with two voices and eight human speakers."""
    return JudgeContext(
        languages=("en", "de"),
        voices={voice: spoken["neutral", voice].samples for voice in voices},
        sources=human_sources(np.random.default_rng(0)),
    )


def human_sources(random: np.random.Generator) -> list[tuple[str, Any, np.ndarray]]:
    """Three emotions by eight speakers, apart by two standard deviations in every number."""
    return [
        (f"speaker-{speaker}", emotion, random.normal(2.0 * place, 1.0, len(SCALARS)))
        for speaker in range(8)
        for place, emotion in ((-1, "sad"), (0, "neutral"), (1, "happy"))
    ]


@pytest.fixture(scope="session")
def tiny_networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random network of each kind that judges."""
    folder = tmp_path_factory.mktemp("networks")
    audio.write(folder)
    return folder


@pytest.fixture(scope="session")
def human_speech() -> np.ndarray:
    """Eleven seconds of a human voice, float32 at 16 kHz."""
    clip = Path(__file__).parents[3].parent / "shared/speech/jfk.flac"
    if not clip.exists():
        pytest.skip("the recording ../shared/speech/jfk.flac is not here")
    samples, rate = soundfile.read(clip, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, JUDGE_RATE_HZ)
