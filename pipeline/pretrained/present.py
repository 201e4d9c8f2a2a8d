"""Whether a model of others is on this machine, without asking a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.needs import Lack

PICKLED_FILES = ("*.bin", "*.pt", "*.pth")
_WEIGHTS = ("*.safetensors", *PICKLED_FILES)


def place(name: str) -> Path:
    """The path that a model's name may be; a home that nobody has stays as it is written."""
    return Path(os.path.expanduser(name))  # noqa: PTH111, Path's own raises of such a home


def lacking_model(name: str, revision: str | None) -> Iterator[Lack]:
    """The weights of a name on the Hub or a folder, if they are neither here nor in the cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if place(name).is_dir():
        return
    at = f" --revision {revision}" if revision else ""
    lack = Lack(f"the weights of {name}, or a folder of this name", f"hf download {name}{at}")
    try:
        found = Path(snapshot_download(name, revision=revision, local_files_only=True))
        if not any(next(found.rglob(pattern), None) for pattern in _WEIGHTS):
            yield lack
    except LocalEntryNotFoundError:
        yield lack
    except HFValidationError:
        yield Lack(f"the folder '{name}' of a model", "correct the engine's field `model`")
