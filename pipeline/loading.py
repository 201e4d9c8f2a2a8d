"""Engines stay loaded for the life of a worker process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _Slot:
    """Names what is loaded by its fingerprint alone."""

    fingerprint: str
    load: Callable[[], Any] = field(compare=False)


@lru_cache(maxsize=32)
def _load(slot: _Slot) -> Any:
    return slot.load()


def loaded(fingerprint: str, load: Callable[[], T]) -> T:
    """What `load` gives, loaded once in this process for each fingerprint."""
    result: T = _load(_Slot(fingerprint, load))
    return result
