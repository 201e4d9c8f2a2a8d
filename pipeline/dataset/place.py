"""A folder that appears whole: written beside its place, by one process at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

Rescue = Callable[[Path, Path], None]
"""Moves what is to stay out of a folder into the one that has taken its place."""


@contextmanager
def put_in_place(folder: Path, rescue: Rescue | None = None) -> Iterator[Path]:
    """An empty folder to write in, which takes the place of `folder` once the block is left.

    What lies there stays until then, and for good if the block ends with an error. A link stays a
    link: what it leads to is replaced. Another process that writes the same folder waits; what a
    kill has left is cleared by the next one. What `rescue` moves outlives the change.

    Raises:
        OSError: no space or no right to write.
    """
    place = folder.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    partial, old = _beside(place, "partial"), _beside(place, "old")
    with _alone(_beside(place, "lock")):
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists():  # a kill came between two renames, or before all was moved
            if place.exists():
                _clear(old, place, rescue)
            else:
                old.rename(place)
        try:
            partial.mkdir()
            yield partial
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        if place.exists():
            place.rename(old)
        partial.rename(place)
        if old.exists():
            _clear(old, place, rescue)


def _clear(old: Path, place: Path, rescue: Rescue | None) -> None:
    if rescue is not None:
        rescue(old, place)
    shutil.rmtree(old, ignore_errors=True)


def _beside(place: Path, what: str) -> Path:
    return place.with_name(f".{place.name}.{what}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which goes with it: who waited sees so and makes another."""
    with FileLock(path):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
