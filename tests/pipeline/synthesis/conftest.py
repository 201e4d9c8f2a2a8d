"""Tiny checkpoints and recordings, made once for all synthesizers' tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import Clip
from tests.checkpoints import speech

MakeCheckpoint = Callable[[str], Path]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> MakeCheckpoint:
    """The folder of a checkpoint by its name, made when it is first asked for."""
    folder = tmp_path_factory.mktemp("checkpoints")

    @cache
    def made(name: str) -> Path:
        if name == "xtts":
            return speech.tiny_xtts(folder / name, end_after=8.0, max_tokens=24)
        if name == "several-speakers":
            return speech.tiny_vits(folder / name, seed=2, speakers=3)
        makers = {
            "mms": speech.tiny_vits,
            "vits": speech.tiny_coqui_vits,
            "seamless": speech.tiny_seamless_speech,
        }
        return makers[name](folder / name)

    return made


@pytest.fixture(scope="session")
def recording() -> Callable[[int, float], Clip]:
    """A voice-like clip by number and length in seconds."""

    def clip(number: int, seconds: float = 0.5) -> Clip:
        random = np.random.default_rng(number)
        time = np.arange(round(seconds * 16_000)) / 16_000
        tone = np.sin(2 * np.pi * (120 + 60 * number) * time * (1 + time))
        noise = random.standard_normal(len(time))
        return Clip((0.3 * tone + 0.05 * noise).astype(np.float32), 16_000, 1)

    return clip
