"""Checkpoints that others wrote: all that can be wrong with their files is said in one place."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

from pipeline.errors import InputError
from pipeline.pretrained.batching import is_out_of_memory
from pipeline.pretrained.named import ModelError
from pipeline.pretrained.quiet import quiet

_LONGEST_REASON = 240
"""Characters; torch names every weight that is missing."""
_LOWEST_HZ, _HIGHEST_HZ = 8_000, 192_000


@contextmanager
def opening(path: Path, kind: str, field: str = "model") -> Iterator[None]:
    """Say in one sentence what a library raises of the files at `path`, and keep it quiet.

    `kind`: what they are opened as; `field`: the recipe's, that names them. The block is for calls
    of the library alone.

    Raises:
        ModelError: the library raised; what is missing of the installation passes as it is.
    """
    try:
        with quiet():
            yield
    except (InputError, ImportError):
        raise
    # What readers raise has no base of its own: tokenizers and huggingface_hub's checks of a config
    # raise bare Exceptions, coqui-tts whatever Python says of a wrong type.
    except Exception as error:
        raise ModelError(f"{field}: '{path}' {_fault(kind, error)}") from error


def read_config(folder: Path) -> dict[str, Any]:
    """The settings in a folder's config.json.

    Raises:
        ModelError: it is missing, damaged, or no table.
    """
    with opening(folder, "settings (config.json)"):
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise TypeError(f"a {type(found).__name__} and no table")
    return found


def refuse_broken_weights(path: Path, model: Any) -> None:
    """Let no model by whose weights are no numbers: all that it says would be noise or nothing.

    Raises:
        ModelError: some are not finite, as of a training that diverged, or in a precision whose
            range they leave.
    """
    broken = [name for name, one in model.named_parameters() if not bool(one.isfinite().all())]
    if broken:
        raise ModelError(
            f"model: '{path}' has {len(broken)} weights that are not finite, among them "
            f"{broken[0]}: get it anew, name another, or, if it is whole, set dtype: float32"
        )


def sound_rate(path: Path, rate_hz: Any) -> int:
    """The sampling rate that a model's settings say it speaks at.

    Raises:
        ModelError: no sound of speech has such a rate.
    """
    if not isinstance(rate_hz, int) or not _LOWEST_HZ <= rate_hz <= _HIGHEST_HZ:
        raise ModelError(
            f"model: '{path}' says in its config.json that it speaks at {rate_hz} Hz, and speech "
            f"has {_LOWEST_HZ} to {_HIGHEST_HZ}: get it anew, or name another"
        )
    return rate_hz


def _fault(kind: str, error: Exception) -> str:
    if is_out_of_memory(error):
        return (
            f"doesn't fit into the memory of the device ({_reason(error)}); name a smaller model, "
            "or set device: cpu"
        )
    if isinstance(error, pickle.PickleError):  # its own words say how to run what is in there
        return (
            f"can't be opened as {kind}: it is damaged, or holds more than tensors and was refused "
            "unread; get it anew, or name another"
        )
    return (
        f"can't be opened as {kind}: its files are damaged, missing, of another architecture, or "
        f"need code of their own ({_reason(error)}); get them anew, or name another"
    )


def _reason(error: Exception) -> str:
    """The first line that says something: torch's begin with "Error(s) in loading ...:"."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [repr(error)]
    return shorten(lines[1] if lines[0].endswith(":") and lines[1:] else lines[0], _LONGEST_REASON)
