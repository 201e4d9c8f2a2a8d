"""What every kind of training set gives: rows, in parts that are read through one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Row:
    """A clip and what is known of it; `label` is the set's own word for the emotion.

    `speaker`: empty where the set doesn't say, and then no one's.
    `unusable`: why there is no audio, where that is known before it is decoded.
    """

    name: str
    source: str
    label: str
    language: str
    speaker: str
    synthetic: bool
    audio: bytes
    unusable: str | None = None


@dataclass(frozen=True)
class Part:
    """A shard; `key` changes when its content does."""

    name: str
    key: str
    rows: Callable[[], Iterator[Row]]
