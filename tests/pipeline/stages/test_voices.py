"""A voice that can't be had is the person's to mend, and said in a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import tables
from pipeline.corpora.base import Door
from pipeline.errors import InputError
from pipeline.records import Recording, Utterance
from pipeline.stages import voices
from pipeline.stages.references import Reference
from pipeline.store import Store
from pipeline.synthesis.command import Command
from pipeline.synthesis.espeak import Espeak

REFUSES = """
import sys
for line in sys.stdin:
    print('{"error": "no such voice"}', flush=True)
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A recording of noise, in which nobody speaks."""
    path = tmp_path / "clip.wav"
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    soundfile.write(path, noise.astype(np.float32), 16_000)
    return path


@pytest.fixture
def store(tmp_path: Path, clip: Path) -> Store:
    store = Store(str(tmp_path / "work"))
    recorded = Recording(clip)
    one = Utterance("u0", "manifest", "Go!", "sad", "anna", "female", "CC0-1.0", recorded)
    rows = [tables.utterance_row(one)]
    store.write("utterances", "batch", tables.table(rows, tables.UTTERANCES))
    return store


def hear(store: Store, engine: Command) -> None:
    references = {"anna": (Reference("batch", "u0", "clip"),)} if engine.clones else {}
    voices.run(store, "out", engine, ["anna"], references, Door())


def test_a_speaker_whose_recordings_have_no_voice_is_named_with_what_to_do(store: Store) -> None:
    said = r"corpus: the voice of speaker 'anna' can't be heard: no recording .*; replace the spe"
    with pytest.raises(InputError, match=said):
        hear(store, Command(command=("speak",)).allowed())


def test_a_recording_that_is_damaged_now_is_named_with_what_to_do(store: Store, clip: Path) -> None:
    clip.write_bytes(b"not audio at all" * 100)
    with pytest.raises(InputError, match=r"'anna' can't be heard: .*'clip.wav' can't be decoded"):
        hear(store, Command(command=("speak",)).allowed())


def test_a_voice_that_the_engine_refuses_is_named_with_what_to_do(store: Store) -> None:
    refusing = Command(command=(sys.executable, "-c", REFUSES), reference="none").allowed()
    said = r"synthesis: voice 'anna' can't speak an English sentence, .*: no such voice; let the"
    with pytest.raises(InputError, match=said):
        hear(store, refusing)
    assert not store.has(voices.STAGE, "out")


def test_another_release_of_what_makes_a_clip_makes_it_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = voices.key(Espeak(), ["anna"], {})
    monkeypatch.setattr(voices, "release", lambda package: f"{package} next")
    assert voices.key(Espeak(), ["anna"], {}) != before
