"""What a synthesizer is: text and a voice go in, a waveform comes out or a reason why not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from pipeline.engine import Engine
from pipeline.languages import Language
from pipeline.records import Failure, Gender


@dataclass(frozen=True)
class Phone:
    """A phone as the engine spoke it: IPA symbol, start and end in seconds."""

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Speech:
    """A mono waveform, float32 [T] in [-1, 1], and its phones where the engine knows them."""

    samples: np.ndarray
    sampling_rate: int
    phones: tuple[Phone, ...] = ()


@dataclass(frozen=True)
class SpeechRequest:
    """What is to be said, in which voice; `reference` is the source recording, if there is one."""

    text: str
    language: Language
    voice: str
    seed: int
    reference: Path | None = None


Synthesize = Callable[[Sequence[SpeechRequest]], "list[Speech | Failure]"]


class Synthesizer(Engine):
    """A text-to-speech engine."""

    deterministic: ClassVar[bool] = False
    """Whether the seed changes nothing, so that one rendition serves every take of a line."""

    @abstractmethod
    def voice_for(self, speaker: str, gender: Gender, taken: Collection[str]) -> str:
        """Name of the voice of a source speaker: the same in every language, of the same gender.

        Voices in `taken` belong to other speakers and are avoided while free ones are left.
        """

    @abstractmethod
    def load(self) -> Synthesize:
        """Load the engine once for a worker; every answer is independent of the batch around it."""
