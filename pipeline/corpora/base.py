"""What a corpus is: something that lists English emotional utterances, one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from pipeline.engine import Engine, Settings
from pipeline.errors import InputError
from pipeline.records import Utterance

Seconds = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class Dropped:
    """An entry whose label maps to none of our emotions; it is counted by label."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An entry that can't become an utterance, and why; it ends as a failed row."""

    id: str
    error: str


Entry = Utterance | Dropped | Unreadable


class Door(Settings):
    """What a recording and a text must be to come in."""

    shortest_s: Seconds = 0.3
    """Shorter clips carry no prosody to measure."""
    longest_s: Seconds = 30.0
    """Whisper's window, and a bound on memory."""
    lowest_rate_hz: Annotated[int, Field(gt=0)] = 8_000
    """Telephone speech; below it the spectrum says nothing of emotion."""
    silence_db: Annotated[float, Field(lt=0)] = -60.0
    """A clip whose peak is below this many dBFS is silent."""
    longest_text: Annotated[int, Field(gt=0)] = 400
    """Characters; longer texts are not one utterance."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.shortest_s >= self.longest_s:
            raise ValueError(
                f"shortest_s {self.shortest_s:g} is not below longest_s {self.longest_s:g}"
            )
        return self


class Corpus(Engine):
    """A source of utterances."""

    door: Door = Door()

    @abstractmethod
    def read(self) -> Iterator[Entry]:
        """List the corpus in a fixed order; recordings are named, not opened.

        Raises:
            CorpusMissing: the folder or file that the recipe names is not there.
        """


class CorpusMissing(InputError):
    """The corpus is not where the recipe says."""


def require(path: Path, what: str, *, folder: bool) -> Path:
    """The path, if it is there.

    Raises:
        CorpusMissing: with the recipe field, the value and the fix.
    """
    if path.is_dir() if folder else path.is_file():
        return path
    kind = "folder" if folder else "file"
    raise CorpusMissing(
        f"corpus.path: there is no {kind} '{path}'. {what} "
        "Name the place with --set corpus.path=PATH."
    )
