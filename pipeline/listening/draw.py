"""Which takes a listening test plays: drawn by hash, in turn by language and emotion."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pipeline.dataset.reading import DatasetFolder
from pipeline.errors import InputError
from pipeline.languages import Language
from pipeline.selection.choose import CHOICES

MOST_CLIPS = 500
"""In one test: a listener gives about six answers a minute."""


class Draw(BaseModel):
    """What is drawn: the same draw of the same set is the same test."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clips: Annotated[int, Field(ge=0, le=MOST_CLIPS)] = 42
    """Kept takes."""
    rejected: Annotated[int, Field(ge=0, le=MOST_CLIPS)] = 0
    """Takes that a gate rejected, hidden among them: do people hear what it saw?"""
    languages: tuple[Language, ...] | None = None
    """Of the takes (none: all of the set)."""
    seed: int = 0


@dataclass(frozen=True)
class Clip:
    """A take of a test. `key` is all that its page tells of it."""

    key: str
    take_id: str
    source_id: str
    language: str
    emotion: str
    kept: bool


def draw_clips(dataset: DatasetFolder, draw: Draw) -> list[Clip]:
    """The takes of a test, in an order that says nothing of them.

    Raises:
        InputError: the set has not a single take of what is asked for.
    """
    languages = draw.languages or dataset.languages
    chosen = [
        _clip(row, draw.seed, kept=kept)
        for kept, count in ((True, draw.clips), (False, draw.rejected))
        for row in _rows(dataset, languages, count, draw.seed, kept=kept)
    ]
    if not chosen:
        raise InputError(
            f"'{dataset.path}' has no take in {', '.join(languages)} for a listening test: "
            "ask for clips that it has (--clips, --rejected, --languages)"
        )
    return sorted(chosen, key=lambda clip: clip.key)


def draw_id(clips: list[Clip]) -> str:
    """Hash of a test's clips: answers to another test don't fit."""
    return hashlib.sha256(" ".join(clip.key for clip in clips).encode()).hexdigest()[:16]


def _rows(
    dataset: DatasetFolder, languages: tuple[str, ...], count: int, seed: int, *, kept: bool
) -> list[dict[str, str]]:
    """Takes by hash: one of each language and emotion, then a second of each, and so on.

    Rejected are those whose reason is a gate: another take of the line may have been better.
    """
    wanted = "reason IS NULL" if kept else "reason IS NOT NULL AND NOT list_contains($4, reason)"
    return dataset.rows(
        "WITH ranked AS (SELECT take_id, source_id, language, emotion, "  # noqa: S608 - ours
        "md5($1 || take_id) AS chance, row_number() OVER "
        "(PARTITION BY language, emotion ORDER BY md5($1 || take_id)) AS turn "
        f"FROM takes WHERE {wanted} AND list_contains($2, language)) "
        "SELECT take_id, source_id, language, emotion FROM ranked ORDER BY turn, chance LIMIT $3",
        [f"{seed}:", list(languages), count, *([] if kept else [list(CHOICES)])],
    )


def _clip(row: dict[str, str], seed: int, *, kept: bool) -> Clip:
    key = hashlib.sha256(f"{seed}:{row['take_id']}".encode()).hexdigest()[:16]
    return Clip(key, row["take_id"], row["source_id"], row["language"], row["emotion"], kept)
