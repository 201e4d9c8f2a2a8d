"""The door on a worker: a bad recording is a failed row, and one that it doesn't find is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.corpora.base import Door
from pipeline.recipe_file import load_recipe
from pipeline.stages import measure
from pipeline.store import Store
from pipeline.work.intake import take_in

ROW = {"text": "Hello there.", "emotion": "sad", "speaker": "me", "licence": "CC0-1.0"}


class Bench:
    """Three recordings by a manifest: one that is a voice, one that is no audio, one not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(str(folder / "work"))
        paths = ["voice.wav", "noise.wav", "gone.wav"]
        rows = [json.dumps({**ROW, "id": path[:-4], "path": path}) for path in paths]
        (folder / "list.jsonl").write_text("\n".join(rows))
        (folder / "noise.wav").write_bytes(b"not audio at all" * 100)
        time = np.arange(16_000) / 16_000
        phase = 2 * np.pi * np.cumsum(180 - 40 * time) / 16_000
        voice = 0.3 * sum(np.sin(k * phase) / k for k in range(1, 12))
        soundfile.write(folder / "voice.wav", voice.astype(np.float32), 16_000)

    def listed(self, path: str) -> tuple[str, Any]:
        """The batch's key, with the recipe's door."""
        recipe = load_recipe("own-recordings", [f"corpus.path={path}"])
        (batch,) = take_in(self.store, recipe).batches
        return batch.key, recipe.corpus.door

    def errors(self, batch: str, door: Any) -> dict[str, str | None]:
        """What is wrong with each row once the batch is measured."""
        measure.run(self.store, batch, "out", door)
        rows = self.store.read(measure.STAGE, "out").to_pylist()
        return {row["id"]: row["error"] for row in rows}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_is_wrong_with_a_recording_fails_its_row_alone(bench: Bench) -> None:
    errors = bench.errors(*bench.listed(str(bench.folder / "list.jsonl")))
    assert errors["voice"] is None
    assert "'noise.wav' can't be decoded" in str(errors["noise"])
    assert "'gone.wav' is not a file" in str(errors["gone"])
    assert str(bench.folder) not in str(errors)


def test_a_recording_that_this_worker_does_not_find_is_no_failed_row(bench: Bench) -> None:
    listed = bench.listed(str(bench.folder / "list.jsonl"))
    (bench.folder / "voice.wav").rename(bench.folder / "away.wav")
    with pytest.raises(FileNotFoundError, match=r"corpus.path: .* find it under the same path"):
        bench.errors(*listed)
    assert not bench.store.has(measure.STAGE, "out")
    (bench.folder / "away.wav").rename(bench.folder / "voice.wav")
    assert bench.errors(*listed)["voice"] is None


def test_a_worker_in_another_folder_finds_the_recordings(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.folder)
    here, door = bench.listed("list.jsonl")
    monkeypatch.chdir("/")
    assert bench.errors(here, door)["voice"] is None
    assert bench.listed(str(bench.folder / "list.jsonl")) == (here, door)


def test_a_text_that_has_lost_a_character_does_not_come_in():
    error = measure.text_error("my company\ufffds transition", Door())
    assert error == (
        "the text 'my company\ufffds transition' has U+FFFD, where a character was lost: "
        "write it again"
    )
    assert measure.text_error("my company\u2019s transition", Door()) is None
