"""What a synthesizer is: text and a voice go in, a waveform comes out or a reason why not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from pipeline.audio import Clip
from pipeline.emotions import Emotion
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
    """A mono waveform, float32 [T] in [-1, 1], and its phones where the engine knows them.

    `hit_length_cap`: the engine was stopped at the longest it may speak, and had not finished.
    `counted_phones`: of the text, where the engine tells none.
    """

    samples: np.ndarray
    sampling_rate: int
    phones: tuple[Phone, ...] = ()
    hit_length_cap: bool = False
    counted_phones: int | None = None

    @property
    def phone_count(self) -> int | None:
        """Phones that were spoken, or that the text has; None where neither is known."""
        return len(self.phones) or self.counted_phones


@dataclass(frozen=True)
class SpeechRequest:
    """What is to be said, in which voice.

    `references` are the recordings that `Synthesizer.conditioned_on` asks for, the line's own
    first; none where it asks for none or the corpus is text only.
    """

    text: str
    language: Language
    voice: str
    seed: int
    emotion: Emotion = "neutral"
    references: tuple[Clip, ...] = ()


Synthesize = Callable[[Sequence[SpeechRequest]], "list[Speech | Failure]"]

ConditionedOn = Literal["none", "source", "speaker_emotion"]
"""Which recordings a line is spoken after: none, its own, or also others of its speaker and
emotion."""


class Synthesizer(Engine):
    """A text-to-speech engine."""

    deterministic: ClassVar[bool] = False
    """Whether the seed changes nothing, so that one rendition serves every take of a line."""
    told_emotion: ClassVar[bool] = False
    """Whether what speaks is told `SpeechRequest.emotion`."""

    @property
    def conditioned_on(self) -> ConditionedOn:
        """Which recordings it wants in `SpeechRequest.references`."""
        return "none"

    @property
    def clones(self) -> bool:
        """Whether a voice is that of the source speaker, whose name it then has."""
        return False

    def fingerprint_for(self, language: Language) -> str:
        """Hash of what makes its speech in a language, for an engine that has a model for each."""
        return self.fingerprint()

    @abstractmethod
    def voice_for(self, speaker: str, gender: Gender, taken: Collection[str]) -> str:
        """Name of the voice of a source speaker: the same in every language, of the same gender.

        Voices in `taken` belong to other speakers and are avoided while free ones are left.
        """

    @abstractmethod
    def load(self) -> Synthesize:
        """Load the engine once for a worker; every answer is independent of the batch around it."""
