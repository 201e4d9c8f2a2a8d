"""What a judge is: takes go in, scores come out by name. It measures and never decides."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from pipeline.emotions import Emotion
from pipeline.engine import Engine
from pipeline.languages import Language
from pipeline.prosody.profile import Profile, measure
from pipeline.prosody.target import Target
from pipeline.records import Failure

JUDGE_RATE_HZ = 16_000
"""Every judge hears 16 kHz: the rate of Whisper, DNSMOS, silero-vad and WavLM."""


@dataclass(frozen=True)
class JudgeItem:
    """One take as the judges get it.

    `samples`: float32 [T] mono at `JUDGE_RATE_HZ`. `reference` is the profile of the same voice and
    text before prosody transfer, or, of a cloned voice, its person's neutral speech; `target` is
    what the transfer was asked for at strength 1. `source_speaker` is whose utterance it was; the
    other `source_*` are of the human recording and None where the corpus is text only. `source` is
    that recording, float32 [T] at `JUDGE_RATE_HZ`, and there only for judges that say
    `hears_source`.
    """

    take_id: str
    samples: np.ndarray
    text: str
    language: Language
    emotion: Emotion
    voice: str
    phone_count: int | None = None
    target: Target | None = None
    reference: Profile | None = None
    source_speaker: str = ""
    source_duration_s: float | None = None
    source_phone_count: int | None = None
    source_text: str | None = None
    hit_length_cap: bool = False
    source: np.ndarray | None = None

    @property
    def duration_s(self) -> float:
        """Length of the take in seconds."""
        return len(self.samples) / JUDGE_RATE_HZ

    @cached_property
    def profile(self) -> Profile | None:
        """The prosody measured on the take, once for all judges; None where nothing is voiced."""
        try:
            return measure(self.samples, JUDGE_RATE_HZ, self.phone_count)
        except ValueError:
            return None


@dataclass(frozen=True)
class JudgeContext:
    """What the whole recipe knows and a single take doesn't.

    `languages`: of the recipe. `voices`: for each voice a neutral English clip, float32 [T] at
    `JUDGE_RATE_HZ`. `sources`: rows (speaker, emotion, relative profile [len(SCALARS)]) of the
    human recordings, empty for text-only corpora.
    """

    languages: tuple[Language, ...]
    voices: Mapping[str, np.ndarray] = field(default_factory=dict)
    sources: Sequence[tuple[str, Emotion, np.ndarray]] = ()


JudgeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""Of a judge that may stand in a recipe more than once: it comes before its scores."""

Measured = Literal["transcript", "emotion", "speech", "quality", "speaker"]
"""What a reader takes for checked, unless the card says that no judge measured it."""

Scores = dict[str, float]
Answer = Mapping[str, float | str]
"""Scores and, of a judge that `transcribes`, what it heard as `transcript`."""
JudgeBatch = Callable[[Sequence[JudgeItem]], "Sequence[Answer | Failure]"]


class Judge(Engine):
    """A measuring instrument."""

    measures: ClassVar[frozenset[Measured]] = frozenset()
    """Of what a card need not say that nobody measured it."""
    transcribes: ClassVar[bool] = False
    """Whether it also says what it heard in words, as `transcript`; one judge of a recipe may."""
    needs_languages: ClassVar[bool] = False
    """Whether a score depends on which languages the recipe has besides the take's own."""
    needs_voices: ClassVar[bool] = False
    """Whether `JudgeContext.voices` is to be filled for it."""
    needs_sources: ClassVar[bool] = False
    """Whether `JudgeContext.sources` is to be filled for it."""
    hears_source: ClassVar[bool] = False
    """Whether `JudgeItem.source` is to be filled for it."""

    @property
    @abstractmethod
    def checks(self) -> str:
        """What it looks at, as a card says it of every take; a class variable."""

    @property
    @abstractmethod
    def scores(self) -> Mapping[str, str]:
        """What it writes for every take: names, and in words for a card what each is, with units.

        A class variable where the settings don't change it.
        """

    @abstractmethod
    def load(self, context: JudgeContext) -> JudgeBatch:
        """Load the judge once for a worker; a score is independent of the batch around it."""
