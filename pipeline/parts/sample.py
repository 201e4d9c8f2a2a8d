"""What stands for a language and split where hours are limited: some rows of some shards.

The same every time, whatever the order of the list: by hashes, and each emotion by its seconds.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

_ROUNDED_S = 1e-3
"""Seconds by which sums of a manifest's numbers may be off."""


class HasSpeech(Protocol):
    """A shard by its name, with its seconds by emotion."""

    @property
    def name(self) -> str:
        """Its path in the set."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """Of each emotion that is wanted of it."""


Shard = TypeVar("Shard", bound=HasSpeech)


def enough(shards: Sequence[Shard], wanted_s: Mapping[str, float]) -> list[Shard]:
    """Shards that together hold so many seconds of each emotion; no more than that needs.

    They are taken by a hash, lest all be of those who speak first; of a file's name without its
    folder, so that the languages give the same sentences.
    """
    left_s, taken = dict(wanted_s), set()
    for shard in sorted(shards, key=lambda one: _place(one.name.rpartition("/")[2])):
        if any(left_s[emotion] > _ROUNDED_S for emotion in shard.seconds):
            taken.add(shard.name)
            for emotion, seconds in shard.seconds.items():
                left_s[emotion] -= seconds
    return [shard for shard in shards if shard.name in taken]


class Rows:
    """The rows of these shards, added one by one; 20 bytes of each are held."""

    def __init__(self) -> None:
        self._emotions: dict[str, int] = {}
        self._emotion, self._seconds, self._place = array("i"), array("d"), array("Q")

    def add(self, emotion: str, seconds: float, source_id: str) -> None:
        """Add the next row."""
        self._emotion.append(self._emotions.setdefault(emotion, len(self._emotions)))
        self._seconds.append(seconds)
        self._place.append(_place(source_id))

    def spread(self, wanted_s: Mapping[str, float]) -> np.ndarray:
        """Which rows [N] to take: of each emotion about so many seconds, of all together at most.

        The rows of each emotion are sorted by a hash of their sentence, and the emotions merged so
        that at any point each has spent the same part of its share. The first row that no longer
        fits ends it.
        """
        emotion, seconds = np.array(self._emotion), np.array(self._seconds)
        place = np.array(self._place)
        turn = np.full(len(seconds), np.inf)  # of an emotion that is not wanted
        for name, number in self._emotions.items():
            if wanted_s.get(name):
                rows = np.flatnonzero(emotion == number)
                rows = rows[np.argsort(place[rows], kind="stable")]
                turn[rows] = (np.cumsum(seconds[rows]) - seconds[rows] / 2) / wanted_s[name]
        order = np.lexsort((place, turn))
        order = order[np.isfinite(turn[order])]
        fits = np.cumsum(seconds[order]) <= sum(wanted_s.values()) + _ROUNDED_S
        chosen = np.zeros(len(seconds), bool)
        chosen[order[fits]] = True
        return chosen


def _place(word: str) -> int:
    """A word's place in a list that is shuffled, always in the same way."""
    return int.from_bytes(hashlib.sha256(word.encode(errors="replace")).digest()[:8], "big")
