"""What flows through the pipeline: utterance, source, line, take, and what became of each.

Every stage writes one row for every row that it read: either its result, or a `Failure` that says
why there is none. A row never goes missing.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.emotions import Emotion
from pipeline.languages import Language

Gender = Literal["female", "male", "unknown"]
Stage = Literal["read", "translate", "check", "synthesize", "judge"]


def composed(text: str) -> str:
    """A text in Unicode's composed form (NFC), as keyboards write it and macOS' file names don't.

    Each letter with its accent is then one character, and equal texts are equal.
    """
    return unicodedata.normalize("NFC", text)


@dataclass(frozen=True, slots=True)
class Recording:
    """Where the human recording of an utterance lies; `start_s` and `end_s` cut it, in seconds.

    `sha256`: of the file, once it came in; None if it was not there.
    """

    path: Path
    start_s: float | None = None
    end_s: float | None = None
    sha256: str | None = None

    @property
    def content(self) -> str:
        """Name of what is heard, wherever it lies."""
        return f"{self.sha256} {self.start_s} {self.end_s}"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One English emotional sentence of a corpus; `id` is unique within the recipe."""

    id: str
    corpus: str
    text: str
    emotion: Emotion
    speaker: str
    gender: Gender
    licence: str
    recording: Recording | None = None

    def __post_init__(self) -> None:
        """Compose the text: synthesizers read a letter and a mark apart as another letter."""
        object.__setattr__(self, "text", composed(self.text))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a row has no result: the stage that could not make it, and the error in one sentence."""

    stage: Stage
    error: str


@dataclass(frozen=True, slots=True)
class Line:
    """An utterance's text in one language.

    `translator`: the engine that wrote it, None for what is English anyway; `hit_length_cap`: it
    was cut off at the longest that the engine may write.
    """

    source_id: str
    language: Language
    text: str
    translator: str | None
    hit_length_cap: bool


@dataclass(frozen=True, slots=True)
class Take:
    """One synthesized attempt at a line.

    `audio` is mono FLAC. `target` and `reference` are the JSON of `prosody.Target` (what was asked,
    relative to neutral) and `prosody.Profile` (the same voice and text before the transfer);
    `neutral_from` says whose neutral speech the target is relative to, and `limited_db` by how
    much the take was turned down lest it clip. `hit_length_cap`: it was cut off at the longest that
    its engine may speak.
    """

    id: str
    source_id: str
    language: Language
    number: int
    voice: str
    seed: int
    strength: float
    audio: bytes
    sampling_rate: int
    duration_s: float
    phone_count: int | None
    target: str | None
    reference: str | None
    neutral_from: str | None
    limited_db: float
    hit_length_cap: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """What a stage did on a batch: rows written, those that failed, seconds of speech made.

    `halved`: how often memory ran out on rows at once, which then ran in two halves; `whole`:
    whether all engines of the stage worked, and not just those whose rows weren't there yet.
    """

    rows: int
    failed: int
    speech_s: float = 0.0
    halved: int = 0
    whole: bool = True


@dataclass(frozen=True)
class FailedRow:
    """A row of `failures.parquet`: what failed at which stage, and why."""

    source_id: str
    take_id: str | None
    language: str | None
    stage: Stage
    error: str
