"""What every synthesizer holds to, by real engines with tiny checkpoints in the real formats."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from pipeline.audio import Clip
from pipeline.languages import Language
from pipeline.records import Failure
from pipeline.synthesis.any import AnySynthesizer
from pipeline.synthesis.base import Speech, SpeechRequest, Synthesize, Synthesizer
from pipeline.synthesis.command import Command
from pipeline.synthesis.espeak import Espeak
from pipeline.synthesis.seamless import SeamlessSpeech
from pipeline.synthesis.vits.engine import Vits
from pipeline.synthesis.xtts.engine import Xtts
from tests.unions import engines_of

ENGINES = ("espeak", "xtts", "vits", "mms", "seamless", "command")
HEARING = ("xtts", "seamless")
TEXTS = ("Ja.", "Die Kinder reden.", "Nein, nie!")
TOLERANCE = 1e-5
"""A padded product of matrices adds up in another order than one that is not."""

PROGRAM = """
import json, sys, wave
for line in sys.stdin:
    asked = json.loads(line)
    if "ש" in asked["text"]:
        print(json.dumps({"error": "unknown letter"}), flush=True)
        continue
    seed = f"{asked['text']}{asked['language']}{asked['seed']}".encode() * 4000
    with wave.open(asked["out"], "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(seed[: len(seed) // 2 * 2])
    print("{}", flush=True)
"""


def make(name: str, checkpoint: Callable[[str], Path], folder: Path) -> Synthesizer:
    """An engine of each of `ENGINES`, on the CPU."""
    if name == "espeak":
        return Espeak()
    if name == "command":
        program = folder / "program.py"
        program.write_text(PROGRAM, encoding="utf-8")
        command = (sys.executable, "-X", "utf8", "-I", str(program))
        return Command(command=command, reference="none").allowed()
    if name == "xtts":
        return Xtts(model=str(checkpoint(name)), device="cpu", longest_s=0.4, batch_size=4)
    if name == "seamless":
        return SeamlessSpeech(model=str(checkpoint(name)), device="cpu", longest_tokens=8)
    if name in ("vits", "mms"):
        models = {"de": str(checkpoint(name)), "fr": str(checkpoint("several-speakers"))}
        return Vits(model=models, device="cpu")
    raise ValueError(f"make one of '{name}' here, with a tiny checkpoint if it needs one")


def test_every_synthesizer_is_held_to_it(checkpoint: Any, tmp_path: Path) -> None:
    made = {type(make(name, checkpoint, tmp_path)) for name in ENGINES}
    assert made == set(engines_of(AnySynthesizer))


def test_an_engine_that_none_is_made_of_here_is_not_taken_for_another(
    checkpoint: Any, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="make one of 'parrot' here"):
        make("parrot", checkpoint, tmp_path)


class Bench:
    """A loaded engine, and requests that it can speak."""

    def __init__(self, engine: Synthesizer, clips: list[Clip]) -> None:
        self.engine = engine
        self.synthesize: Synthesize = engine.load()
        self._clips = clips

    def request(
        self, text: str, language: Language = "de", seed: int = 1, clip: int = 0
    ) -> SpeechRequest:
        heard = (self._clips[clip],) if self.engine.conditioned_on != "none" else ()
        voice = self.engine.voice_for("anna", "female", ())
        return SpeechRequest(text, language, voice, seed, references=heard)

    def speak(self, *requests: SpeechRequest) -> list[np.ndarray]:
        answers = self.synthesize(requests)
        for answer in answers:
            assert isinstance(answer, Speech), answer
            assert answer.samples.dtype == np.float32
            assert answer.samples.ndim == 1
            assert np.isfinite(answer.samples).all()
            assert np.abs(answer.samples).max() <= 1
        return [answer.samples for answer in answers if isinstance(answer, Speech)]


@pytest.fixture(scope="module", params=ENGINES)
def bench(
    request: pytest.FixtureRequest, checkpoint: Any, recording: Any, tmp_path_factory: Any
) -> Bench:
    folder = tmp_path_factory.mktemp("engine")
    clips = [recording(0), recording(1, 0.8)]
    return Bench(make(request.param, checkpoint, folder), clips)


@pytest.fixture(scope="module")
def batch(bench: Bench) -> list[np.ndarray]:
    requests = [bench.request(text, seed=at, clip=at % 2) for at, text in enumerate(TEXTS)]
    return bench.speak(*requests)


def test_batched_equals_single(bench: Bench, batch: list[np.ndarray]) -> None:
    for at, (text, wanted) in enumerate(zip(TEXTS, batch, strict=True)):
        (single,) = bench.speak(bench.request(text, seed=at, clip=at % 2))
        np.testing.assert_allclose(single, wanted, atol=TOLERANCE)


def test_the_same_again_gives_the_same(bench: Bench, batch: list[np.ndarray]) -> None:
    requests = [bench.request(text, seed=at, clip=at % 2) for at, text in enumerate(TEXTS)]
    for again, wanted in zip(bench.speak(*requests), batch, strict=True):
        assert np.array_equal(again, wanted)


def test_a_seed_changes_the_speech_unless_nothing_is_left_to_chance(
    bench: Bench, batch: list[np.ndarray]
) -> None:
    (other,) = bench.speak(bench.request(TEXTS[1], seed=7, clip=1))
    same = np.array_equal(other, batch[1])
    assert same == bench.engine.deterministic


def test_it_speaks_the_language_that_it_is_asked_for(bench: Bench) -> None:
    german, french = bench.speak(bench.request("Restaurant"), bench.request("Restaurant", "fr"))
    assert not np.array_equal(german, french)


def fails_alone(bench: Bench, bad: SpeechRequest, batch: list[np.ndarray]) -> str:
    """Why `bad` can't be spoken, where the request beside it is spoken as ever."""
    failed, spoken = bench.synthesize([bad, bench.request(TEXTS[0], seed=0)])
    assert isinstance(failed, Failure)
    assert failed.stage == "synthesize"
    assert isinstance(spoken, Speech)
    np.testing.assert_allclose(spoken.samples, batch[0], atol=TOLERANCE)
    return failed.error


def test_a_text_that_it_cannot_read_fails_alone(bench: Bench, batch: list[np.ndarray]) -> None:
    bad = bench.request("שלום")
    if not bench.engine.clones:  # what translates a recording reads the text without one
        bad = replace(bad, references=())
    assert "letter" in fails_alone(bench, bad, batch)


@pytest.mark.parametrize("bench", HEARING, indirect=True)
def test_a_recording_that_it_cannot_hear_fails_alone(bench: Bench, batch: list[np.ndarray]) -> None:
    short = Clip(np.zeros(800, np.float32), 16_000, 1)
    bad = replace(bench.request(TEXTS[0]), references=(short,))
    assert "lasts 0.05" in fails_alone(bench, bad, batch)


def test_no_requests_are_no_answers(bench: Bench) -> None:
    assert bench.synthesize([]) == []


def test_a_voice_is_the_same_for_the_same_speaker(bench: Bench) -> None:
    voices = [bench.engine.voice_for("anna", "female", ()) for _ in range(2)]
    assert voices[0] == voices[1]
    assert voices[0] == "anna" or not bench.engine.clones


def test_settings_come_back_from_yaml_with_the_same_fingerprint(bench: Bench) -> None:
    again = type(bench.engine).model_validate(bench.engine.model_dump(mode="json"))
    assert again.fingerprint() == bench.engine.fingerprint()


def open_files() -> set[tuple[str, str]]:
    """Each descriptor of this process with what it is open on; a count would hide one by another.

    What an earlier test left may close meanwhile, and is not asked about.
    """
    found = set()
    for descriptor in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            found.add((descriptor.name, str(descriptor.readlink())))
    return found


@pytest.mark.parametrize("name", ["espeak", "command", "mms"])
def test_it_closes_what_it_opens(name: str, checkpoint: Any, tmp_path: Path) -> None:
    engine = make(name, checkpoint, tmp_path)
    Bench(engine, []).speak(SpeechRequest("Ja.", "de", engine.voice_for("a", "female", ()), 0))
    gc.collect()
    process = psutil.Process()
    before, children = open_files(), set(process.children())
    Bench(engine, []).speak(SpeechRequest("Ja.", "de", engine.voice_for("a", "female", ()), 0))
    gc.collect()
    assert open_files() - before == set()
    assert set(process.children()) <= children
