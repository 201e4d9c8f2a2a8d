"""What a corpus is: something that lists English emotional utterances, one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from pipeline.engine import Engine, Settings
from pipeline.errors import InputError
from pipeline.plain import one_line, plain
from pipeline.records import Utterance

Seconds = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class Dropped:
    """An entry whose label maps to none of our emotions; it is counted by label."""

    id: str
    label: str

    def __post_init__(self) -> None:
        """Make the label one that can stand on a terminal and in a table."""
        object.__setattr__(self, "label", plain(self.label))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An entry that can't become an utterance, and why; it ends as a failed row."""

    id: str
    error: str

    def __post_init__(self) -> None:
        """Make both such that they can stand on a terminal and in a table."""
        object.__setattr__(self, "id", one_line(self.id))
        object.__setattr__(self, "error", one_line(self.error))


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


@dataclass(frozen=True, slots=True)
class Documented:
    """What is published of a corpus' size, for a bill without the corpus.

    `utterances` whose label maps to one of our emotions; `speech_hours` of them; `source` says
    where the numbers stand.
    """

    utterances: int
    speakers: int
    speech_hours: float
    source: str


class Corpus(Engine):
    """A source of utterances."""

    documented: ClassVar[Documented | None] = None
    """Its published size (none: it comes with m5ser, or is the person's own)."""
    door: Door = Door()
    """What its recordings and texts must be to come in."""

    @property
    def members(self) -> tuple[Corpus, ...]:
        """The corpora that this one is made of: itself, unless it holds others."""
        return (self,)

    @abstractmethod
    def read(self) -> Iterator[Entry]:
        """List the corpus in a fixed order; recordings are named, not opened.

        Raises:
            CorpusMissing: the folder or file that the recipe names is not there.
        """


@dataclass(frozen=True, slots=True)
class Gap:
    """A file or folder that isn't where the recipe's `field` says; `what`: how to come by it."""

    path: Path
    kind: Literal["file", "folder"]
    what: str
    field: str

    def __str__(self) -> str:
        return (
            f"{self.field}: there is no {self.kind} '{self.path}'. {self.what} "
            f"Name the place with --set {self.field}=PATH."
        )


class CorpusMissing(InputError):
    """What of a corpus is not where the recipe says, a line for each gap."""

    def __init__(self, *gaps: Gap) -> None:
        super().__init__("\n".join(str(gap) for gap in gaps))
        self.gaps = gaps


def require(path: Path, what: str, *, folder: bool, name: str = "path") -> Path:
    """The path that the corpus' field `name` holds, if it is there.

    Raises:
        CorpusMissing: with the recipe field, the value and the fix.
    """
    if path.is_dir() if folder else path.is_file():
        return path
    raise CorpusMissing(Gap(path, "folder" if folder else "file", what, f"corpus.{name}"))


def clips_below(folder: Path) -> list[Path]:
    """The WAV files below a corpus' folder, in the order of their names.

    Raises:
        CorpusMissing: there is none.
    """
    # macOS leaves a hidden twin beside each file that it copies.
    clips = [clip for clip in folder.rglob("*.wav") if not clip.name.startswith(".")]
    if not clips:
        what = "The folder holds no WAV file."
        raise CorpusMissing(Gap(folder / "*.wav", "file", what, "corpus.path"))
    return sorted(clips, key=lambda clip: (clip.name, clip))
