"""A tiny random checkpoint of every kind, under the names that recipes/m5ser-smoke.yaml has."""

from __future__ import annotations

from pathlib import Path

from tests.checkpoints import audio, corpus, speech, text
from tests.checkpoints.whisper import tiny_whisper


def write(folder: Path) -> None:
    """Write the checkpoints and a corpus of four recordings below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus.write(folder / "corpus")
    audio.write(folder)
    _write_whisper(folder / "whisper.pt", width=16)
    _write_whisper(folder / "whisper-larger.pt", width=32)
    text.write(folder)
    speech.write(folder)


def _write_whisper(path: Path, width: int) -> None:
    import torch

    # The whole vocabulary in a model a thousand times smaller than the one published with it.
    model = tiny_whisper(width=width, layers=1, audio_ctx=1500, text_ctx=448, end_after=8)
    torch.save({"dims": vars(model.dims), "model_state_dict": model.state_dict()}, path)
