"""A folder that appears whole: written beside its place, by one process at a time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock


@contextmanager
def put_in_place(folder: Path) -> Iterator[Path]:
    """An empty folder to write in, which takes the place of `folder` once the block is left.

    What lies there stays until then, and for good if the block ends with an error. A link stays a
    link: what it leads to is replaced. Another process that writes the same folder waits; what a
    kill has left is cleared by the next one.

    Raises:
        OSError: no space or no right to write.
    """
    place = folder.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    partial, old = _beside(place, "partial"), _beside(place, "old")
    with _alone(_beside(place, "lock")):
        shutil.rmtree(partial, ignore_errors=True)
        if not place.exists() and old.exists():  # a kill came between two renames
            old.rename(place)
        try:
            partial.mkdir()
            yield partial
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        partial.rename(place)
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
