"""A full disk, said with the folder that is full: a failed write knows neither name nor place."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEARLY_FULL = 8 << 20
"""Free bytes below which a disk is taken for full: what has just failed may have freed some."""


def is_full_disk(error: BaseException) -> bool:
    """Whether it says that a disk, or a person's share of it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def no_space(place: str | Path) -> OSError:
    """The error of a disk that is full."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))


def is_nearly_full(place: str | Path) -> bool:
    """Whether the disk of a folder has next to nothing left; False where that can't be seen."""
    try:
        return shutil.disk_usage(place).free < _NEARLY_FULL
    except OSError:
        return False


@contextmanager
def full_disk_named(place: str | Path) -> Iterator[None]:
    """Let an error of a full disk name `place`, into which the block writes, and not a file there.

    An error without a name may come from the temporary files or the models of the same block.
    """
    try:
        yield
    except OSError as error:
        if is_full_disk(error):
            error.filename = str(_where(error.filename, place))
        raise


def _where(file: str | None, place: str | Path) -> str | Path:
    if file is not None:
        return place if Path(file).is_relative_to(place) else file
    places = (place, tempfile.gettempdir(), Path.home())
    return next((one for one in places if is_nearly_full(one)), place)


def full_disk_sentence(error: OSError) -> str:
    """What a person reads: which folder is full, and what to do."""
    said = os.strerror(error.errno or errno.ENOSPC)
    where = f"the disk of '{_folder(str(error.filename))}'" if error.filename else "a disk"
    return f"{said}: {where} is full: free some space there; the same command goes on from here"


def _folder(name: str) -> str:
    """The folder of a file, or the nearest above that there is; a URL as it is."""
    if "://" in name:
        return name
    path = Path(name).absolute()
    return str(next((one for one in (path, *path.parents) if one.is_dir()), path))
