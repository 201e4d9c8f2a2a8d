"""The answers of one listener, as the page saves them; they come from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.emotions import Emotion
from pipeline.errors import InputError
from pipeline.languages import Language
from pipeline.listening.draw import MOST_CLIPS, Draw
from pipeline.plain import plain

_LARGEST_BYTES = 1 << 20
_Key = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


NONE: Final = "none"
"""What a listener says who hears none of the emotions, or can't tell."""


class Answer(BaseModel):
    """What a listener says of a clip; `naturalness` by ITU-T P.800: 1 bad to 5 excellent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip: _Key
    emotion: Literal[Emotion, "none"]
    naturalness: Annotated[int, Field(ge=1, le=5)]


class Answers(BaseModel):
    """The answers of a listener to a test; a test may be left unfinished.

    `known`: the languages of the test that they understand; None where they didn't say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    test: _Key
    draw: Draw
    listener: Annotated[str, Field(min_length=1, max_length=100)]
    known: tuple[Language, ...] | None = None
    answers: Annotated[tuple[Answer, ...], Field(max_length=2 * MOST_CLIPS)]


def read_answers(path: Path) -> Answers:
    """Read a file of answers.

    Raises:
        InputError: it is too large, no JSON, or not what the page saves; or a clip has two answers.
    """
    if path.stat().st_size > _LARGEST_BYTES:
        raise InputError(f"'{path}' is larger than {_LARGEST_BYTES >> 20} MiB: no answers are")
    try:
        found = Answers.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "file"
        wrong = plain(f"{field}: {first['msg']}")
        raise InputError(f"'{path}': {wrong}; use the file that the page saved") from error
    if len({answer.clip for answer in found.answers}) < len(found.answers):
        raise InputError(f"'{path}': a clip has two answers; use the file that the page saved")
    return found
