"""Which recordings a line is spoken after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import tables
from pipeline.audio import Clip
from pipeline.corpora.base import Door
from pipeline.records import Failure, Recording, Utterance
from pipeline.stages.references import Reference, open_references, references_of, voice_references
from pipeline.store import Store


def utterance(number: int, emotion: str = "angry", speaker: str = "anna") -> Utterance:
    return Utterance(
        f"u{number}",
        "manifest",
        "Go!",
        emotion,
        speaker,
        "female",
        "CC0-1.0",  # type: ignore[arg-type]
        Recording(Path(f"{number}.wav"), sha256=f"hash{number}"),
    )


RECORDED = [
    ("first", utterance(0)),
    ("first", utterance(1)),
    ("first", utterance(2, "neutral")),
    ("second", utterance(3)),
    ("second", utterance(4, speaker="bert")),
]


def names(references: tuple[Reference, ...]) -> list[str]:
    return [one.utterance for one in references]


def test_an_engine_that_listens_to_none_gets_none() -> None:
    assert references_of(RECORDED, "none") == {}


def test_a_line_is_spoken_after_its_own_recording() -> None:
    found = references_of(RECORDED, "source")
    assert found["u3"] == (Reference("second", "u3", "hash3 None None"),)
    assert len(found) == len(RECORDED)


def test_others_of_its_speaker_and_emotion_come_after_its_own() -> None:
    found = references_of(RECORDED, "speaker_emotion")
    assert names(found["u0"]) == ["u0", "u1", "u3"]
    assert names(found["u3"]) == ["u3", "u0", "u1"]
    assert names(found["u2"]) == ["u2"]
    assert names(found["u4"]) == ["u4"]


def test_no_more_are_taken_than_are_listened_to() -> None:
    many = [("batch", utterance(number)) for number in range(40)]
    found = references_of(many, "speaker_emotion")
    assert names(found["u39"]) == ["u39", *(f"u{number}" for number in range(7))]


def test_a_voice_is_heard_without_emotion_first() -> None:
    found = voice_references(RECORDED)
    assert names(found["anna"]) == ["u2", "u0", "u1", "u3"]
    assert names(found["bert"]) == ["u4"]


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Store, Path]:
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.full(16_000, 0.2, np.float32), 16_000)
    store = Store(str(tmp_path / "work"))
    one = replace(utterance(0), recording=Recording(path))
    store.write("utterances", "first", tables.table([tables.utterance_row(one)], tables.UTTERANCES))
    return store, path


def test_recordings_are_opened_through_the_door(stored: tuple[Store, Path]) -> None:
    store, _ = stored
    wanted = {"u0": (Reference("first", "u0", "clip"),)}
    heard = open_references(store, wanted, Door())["u0"]
    assert isinstance(heard, tuple)
    assert isinstance(heard[0], Clip)
    refused = open_references(store, wanted, Door(shortest_s=2.0))["u0"]
    assert isinstance(refused, Failure)


def test_a_recording_that_is_damaged_now_fails_its_line_alone(stored: tuple[Store, Path]) -> None:
    store, path = stored
    path.write_bytes(b"not audio at all" * 100)
    failed = open_references(store, {"u0": (Reference("first", "u0", "clip"),), "u1": ()}, Door())
    assert isinstance(failed["u0"], Failure)
    assert "'clip.wav' can't be decoded" in failed["u0"].error
    assert failed["u1"] == ()


def test_a_recording_that_has_gone_is_the_machines_fault_and_no_lines(
    stored: tuple[Store, Path],
) -> None:
    store, path = stored
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"corpus.path: .* is not there; .*clip.wav"):
        open_references(store, {"u0": (Reference("first", "u0", "clip"),)}, Door())
