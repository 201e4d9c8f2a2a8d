"""Models of others, by their name on the Hub and a revision, or by the path of a folder.

A recipe pins what it uses: a commit of the Hub (40 hex digits), or the SHA-256 of a folder's files
(64). Weights are read from safetensors; pickled ones are refused unless the recipe allows them, and
are then read as tensors only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field

from pipeline.engine import Engine, digest, file_sha256, short_enough
from pipeline.errors import InputError
from pipeline.needs import Lack
from pipeline.pretrained import torchaudio_cpu
from pipeline.pretrained.devices import Device, Dtype, Half, resolve
from pipeline.pretrained.present import PICKLED_FILES, lacking_model, place

PLAIN_FILES = ("*.json", "*.jinja", "*.txt", "*.model", "*.spm", "*.safetensors")
"""Settings, tokenizers and weights, none of which can run code."""
_SHA256_DIGITS = 64

ModelName = Annotated[str, Field(min_length=1), AfterValidator(short_enough)]
Revision = Annotated[str, Field(min_length=1, max_length=200)]


class ModelError(InputError):
    """A model that can't be had, or is not what the recipe pinned."""


class OnDevice(Engine):
    """An engine whose weights others have trained and published."""

    uses_gpu: ClassVar[bool] = True
    half: ClassVar[Half] = "float16"
    """What `dtype: auto` means on CUDA."""
    allow_pickle: bool = False
    """Whether weights may be pickled where there are no safetensors; only tensors are read."""
    device: Device = "auto"
    """`auto`: CUDA where there is a GPU, else the CPU."""
    dtype: Dtype = "auto"
    """`auto`: half precision on CUDA, else float32."""

    def lacks(self) -> Iterator[Lack]:
        """A torchaudio that can be imported, which transformers and coqui-tts do."""
        if not torchaudio_cpu.loads():
            yield Lack(
                "torchaudio can't be imported: its compiled part links CUDA, and torch has none",
                "python -m pipeline.pretrained.torchaudio_cpu",
            )

    def placement(self) -> tuple[str, str]:
        """torch's names of the device and the dtype."""
        return resolve(self.device, self.dtype, self.half)


class Pretrained(OnDevice):
    """An engine that runs one model of others; a subclass sets a default for `model`."""

    model: ModelName
    """A name on the Hub, or the path of a folder in the same format."""
    revision: Revision | None = None
    """A commit of the Hub, or the SHA-256 of a folder (none: what is found, pinned for good when
    the recipe is resolved)."""

    def lacks(self) -> Iterator[Lack]:
        """Also the weights."""
        yield from super().lacks()
        yield from lacking_model(self.model, self.revision)

    def pinned(self) -> Self:
        """The same settings with the revision that is found now.

        Raises:
            ModelError: the model or its revision can't be found.
        """
        return self.model_copy(update={"revision": pinned_revision(self.model, self.revision)})

    def fingerprint(self) -> str:
        """Hash of the settings; of a pinned folder the contents count and not its place."""
        fields = self.model_dump(mode="json")
        if is_content_hash(self.revision):
            del fields["model"]
        return digest(type(self).__name__, self.version, fields)

    def folder(self) -> Path:
        """The local folder with the model's files, downloaded where they are missing.

        Raises:
            ModelError: it can't be had, or is not what was pinned.
        """
        return model_folder(self.model, self.revision, self.allow_pickle)


def is_content_hash(revision: str | None) -> bool:
    """Whether a revision is the SHA-256 of a folder's files, which says all about them."""
    return len(revision or "") == _SHA256_DIGITS


def pinned_revision(model: str, revision: str | None) -> str:
    """The commit that a name on the Hub and a branch, tag or None stand for now; a folder's hash.

    Without a network, what the local cache last held under that branch or tag.

    Raises:
        ModelError: the model or its revision can't be found.
    """
    from huggingface_hub import HfApi

    if _is_folder(model):
        return revision or folder_sha256(place(model))
    with _in_words(model, revision):
        return str(HfApi().resolve_revision(model, revision=revision).resolved)


def model_folder(
    model: str,
    revision: str | None,
    allow_pickle: bool = False,
    plain: Sequence[str] = PLAIN_FILES,
    pickled: Sequence[str] = PICKLED_FILES,
    safe: str = "*.safetensors",
) -> Path:
    """The local folder with a model's files; only files of these patterns are downloaded.

    Pickled files are downloaded only if they are allowed and there are no safetensors of the
    pattern `safe`, which says what the engine reads.

    Raises:
        ModelError: it can't be had, is not what was pinned, or has pickled weights only.
    """
    folder = _folder(model, revision, plain)
    if any(folder.glob(safe)):
        return folder
    if not allow_pickle:
        raise ModelError(
            f"model: '{model}' has no safetensors ({safe}) at this revision; name a revision or a "
            "copy that has them, or set allow_pickle: true to read tensors, and nothing else, from "
            "its pickled weights"
        )
    folder = _folder(model, revision, (*plain, *pickled))
    if not any(fnmatchcase(file.name, pattern) for file in folder.iterdir() for pattern in pickled):
        raise ModelError(f"model: '{model}' has no weights: neither safetensors nor pickled ones")
    return folder


def folder_sha256(folder: Path) -> str:
    """SHA-256 over the names and contents of a folder's model files, in the order of the names.

    Raises:
        ModelError: what is named as one is no file.
    """
    total = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if any(fnmatchcase(file.name, pattern) for pattern in PLAIN_FILES + PICKLED_FILES):
            if not file.is_file():  # a pipe, or a link to a device, would never end
                raise ModelError(f"model: '{file}' is no file: take it out of the folder")
            total.update(f"{file.name} {file_sha256(file)}\n".encode())
    return total.hexdigest()


def _is_folder(model: str) -> bool:
    """Whether it is a path, which must then be a folder, and not a name on the Hub."""
    if place(model).is_dir():
        return True
    if model.count("/") > 1 or model.startswith((".", "/", "~")):
        raise ModelError(f"model: there is no folder '{model}'")
    return False


def _folder(model: str, revision: str | None, patterns: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download

    if _is_folder(model):
        return _verified(place(model), revision)
    with _in_words(model, revision):
        return Path(snapshot_download(model, revision=revision, allow_patterns=list(patterns)))


def _verified(folder: Path, revision: str | None) -> Path:
    if revision is not None and (found := folder_sha256(folder)) != revision:
        raise ModelError(
            f"revision: the files of '{folder}' have the SHA-256 {found}, the recipe pins "
            f"{revision}; get the pinned files, or change the recipe to mean these"
        )
    return folder


@contextmanager
def _in_words(model: str, revision: str | None) -> Iterator[None]:
    """Say in one sentence, with the fix, what huggingface_hub raises."""
    from httpx2 import HTTPError
    from huggingface_hub import errors as hub

    try:
        yield
    except hub.GatedRepoError as error:
        raise ModelError(
            f"model: '{model}' is gated: ask for access on its page of the Hub, make a token in "
            "your settings there, and give it by `hf auth login` or in HF_TOKEN"
        ) from error
    except hub.RepositoryNotFoundError as error:
        raise ModelError(
            f"model: the Hub has no '{model}' that you may see: correct the name, give the path of "
            "a folder, or, if it is private, log in by `hf auth login`"
        ) from error
    except hub.RevisionNotFoundError as error:
        raise ModelError(
            f"revision: '{model}' has no revision '{revision}': name a commit from its page, or "
            "leave the field out to pin the newest"
        ) from error
    except hub.HFValidationError as error:
        raise ModelError(f"model: '{model}' is neither a folder nor a name on the Hub") from error
    except (hub.LocalEntryNotFoundError, hub.RevisionResolutionError, HTTPError) as error:
        at = f" --revision {revision}" if revision else ""
        raise ModelError(
            f"model: '{model}' is not in the local cache and the Hub can't be reached; with a "
            f"network run `hf download {model}{at}`, or give the path of a folder"
        ) from error
