"""A Whisper checkpoint: found, verified, read without running any pickled code, and built.

Two formats hold the same state dict and `ModelDimensions` of openai-whisper: its own `.pt` (read by
`torch.load(weights_only=True)`), and `.safetensors` with a `.json` of the same name beside it.
The JSON has `dims`, `spelling` and, where unused vocabulary rows were left out, `vocabulary`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pipeline.errors import InputError
from pipeline.languages import Language
from pipeline.needs import Lack
from pipeline.whisper.spelling import Spelling
from pipeline.whisper.vocabulary import EMBEDDING, drop_unused_rows, restore_unused_rows

if TYPE_CHECKING:
    from torch import Tensor
    from whisper.model import ModelDimensions, Whisper

BUNDLED: Mapping[str, tuple[Language, ...]] = {
    "small-espeak": ("en", "de", "fr", "it", "es", "zh"),
}
"""The weights that ship with m5ser, and the languages that they were taught
(`data_cards/whisper-small-espeak.md`)."""

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["auto", "float32", "float16", "bfloat16"]


_MELS = (80, 128)
_VOCABULARIES = (51_864, 51_865, 51_866)
"""Rows of English-only models, of multilingual ones, and of large-v3 with Cantonese."""

_Read = tuple["ModelDimensions", "dict[str, Tensor]", Spelling, "tuple[int, ...] | None"]
"""Dimensions, state dict, spelling and the tokens that the file has rows for."""


class CheckpointError(InputError, ValueError):
    """Weights that can't be had, are damaged, or are not what the recipe pinned."""


class OtherWeights(CheckpointError):
    """Weights that are whole, and not those that were pinned."""


@dataclass(frozen=True)
class Checkpoint:
    """A Whisper ready to run, how it spells, and the hash of the files that it came from.

    `vocabulary`: the tokens that it knows; None: all.
    """

    model: Whisper
    spelling: Spelling
    sha256: str
    vocabulary: tuple[int, ...] | None = None


def load_checkpoint(
    name: str,
    sha256: str | None = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> Checkpoint:
    """Load a bundled or an openai-whisper model by its name, or a checkpoint by its path.

    Raises:
        CheckpointError: the weights can't be had, differ from `sha256`, are damaged, hold pickled
            code, or don't fit the dimensions that they state.
    """
    path = _find(name)
    found = checkpoint_sha256(path)
    if sha256 is not None and sha256 != found:
        raise OtherWeights(
            f"sha256: {path} has {found}, the recipe pins {sha256}; get the pinned weights, "
            "or change the recipe to mean these"
        )
    dims, state, spelling, vocabulary = _read(path)
    model = _build(path, dims, state)
    return Checkpoint(_placed(model, device, dtype), spelling, found, vocabulary)


def save_checkpoint(
    path: Path, model: Whisper, spelling: Spelling, vocabulary: list[int] | None = None
) -> None:
    """Write `path` (.safetensors) and its JSON; with `vocabulary`, only these tokens' rows."""
    from safetensors.torch import save_file

    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    about: dict[str, Any] = {"dims": dataclasses.asdict(model.dims), "spelling": spelling}
    if vocabulary is not None:
        about["vocabulary"] = vocabulary
        state[EMBEDDING] = drop_unused_rows(state[EMBEDDING], vocabulary)
    save_file(state, path)
    path.with_suffix(".json").write_text(json.dumps(about) + "\n", encoding="utf-8")


def pinned_sha256(name: str) -> str:
    """The hash that pins a model: published in the address of a named one, else of the file.

    Raises:
        CheckpointError: it is neither a checkpoint file nor a known name.
    """
    import whisper

    if name in whisper.available_models():
        return str(whisper._MODELS[name].split("/")[-2])
    return checkpoint_sha256(_find(name))


def lacking_checkpoint(name: str) -> Iterator[Lack]:
    """The weights of a name or path, if they are not on this machine; nothing is downloaded."""
    import whisper

    if name in BUNDLED or Path(name).is_file():
        return
    if name not in whisper.available_models():
        yield Lack(f"the Whisper checkpoint '{name}'", "correct the judge's field `model`")
    elif not (_cache() / whisper._MODELS[name].rsplit("/", 1)[-1]).is_file():
        yield Lack(f"the weights of Whisper {name}", _load_command(name))


def checkpoint_sha256(path: Path) -> str:
    """SHA-256 of the file; of a .safetensors followed by its .json (`cat both | sha256sum`)."""
    sha256 = hashlib.sha256()
    for part in _files(path):
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                sha256.update(block)
    return sha256.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.suffix != ".safetensors":
        return [path]
    about = path.with_suffix(".json")
    if not about.is_file():
        raise CheckpointError(f"{path} needs {about.name} beside it, with `dims` and `spelling`")
    return [path, about]


def _find(name: str) -> Path:
    """The local file of a name or path, downloaded by openai-whisper where it is missing."""
    import whisper

    if name in BUNDLED:
        return Path(str(files("pipeline.whisper.weights").joinpath(f"{name}.safetensors")))
    if name in whisper.available_models():
        return _downloaded(name, whisper._MODELS[name])
    if Path(name).is_file():
        return Path(name)
    raise CheckpointError(
        f"model: {name!r} is neither a checkpoint file nor one of "
        f"{', '.join((*BUNDLED, *whisper.available_models()))}"
    )


def _downloaded(name: str, url: str) -> Path:
    import whisper

    root = _cache()
    try:
        return Path(whisper._download(url, str(root), False))
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f"model: the weights of {name!r} are not in {root} and could not be downloaded "
            f"({error}); put {url.rsplit('/', 1)[-1]} there, fetched on a machine with a network "
            f"by `{_load_command(name)}`, "
            f"or name a bundled model: {', '.join(BUNDLED)}"
        ) from error


def _cache() -> Path:
    """Where openai-whisper keeps what it downloads."""
    return Path(os.getenv("XDG_CACHE_HOME", Path.home() / ".cache")) / "whisper"


def _load_command(name: str) -> str:
    return f"python -c \"import whisper; whisper.load_model('{name}')\""


def _read(path: Path) -> _Read:
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    return _read_pickle(path)


def _read_safetensors(path: Path) -> _Read:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        stated, spelling = about["dims"], about["spelling"]
        state = {name: tensor.float() for name, tensor in load_file(path).items()}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} or its .json is damaged: {error}") from error
    if spelling not in get_args(Spelling):
        raise CheckpointError(f"{path}: spelling is {spelling!r}, not one of {get_args(Spelling)}")
    dims = _dimensions(path, stated)
    if "vocabulary" in about:
        _restore(path, state, about["vocabulary"], dims.n_vocab)
        return dims, state, spelling, tuple(about["vocabulary"])
    return dims, state, spelling, None


def _dimensions(path: Path, stated: Any) -> ModelDimensions:
    """The dimensions that a file states, such as a Whisper can have."""
    from whisper.model import ModelDimensions

    try:
        dims = ModelDimensions(**stated)
    except TypeError as error:
        raise CheckpointError(f"{path}: dims: {error}") from error
    for name, value in dataclasses.asdict(dims).items():
        if type(value) is not int or value < 1:
            raise CheckpointError(f"{path}: dims: {name} is {value!r}, not a number from 1 up")
    for name, known in (("n_mels", _MELS), ("n_vocab", _VOCABULARIES)):
        if getattr(dims, name) not in known:
            raise CheckpointError(f"{path}: {name} is {getattr(dims, name)}; Whisper's are {known}")
    if dims.n_audio_state % dims.n_audio_head or dims.n_text_state % dims.n_text_head:
        raise CheckpointError(
            f"{path}: dims: n_audio_state or n_text_state is no multiple of its heads"
        )
    return dims


def _restore(path: Path, state: dict[str, Tensor], vocabulary: Any, n_vocab: int) -> None:
    if not isinstance(vocabulary, list) or not all(
        type(token) is int and 0 <= token < n_vocab for token in vocabulary
    ):
        raise CheckpointError(f"{path}: vocabulary is no list of tokens from 0 to {n_vocab - 1}")
    try:
        state[EMBEDDING] = restore_unused_rows(state, vocabulary, n_vocab)
    except (KeyError, IndexError, ValueError) as error:
        raise CheckpointError(f"{path}: vocabulary can't be restored: {error}") from error


def _read_pickle(path: Path) -> _Read:
    import pickle

    import torch

    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(held, dict):
            raise TypeError(f"it holds a {type(held).__name__}")
        stated, state = held["dims"], held["model_state_dict"]
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is damaged, or holds more than tensors and was refused unread; "
            "use an openai-whisper checkpoint or .safetensors"
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is not an openai-whisper checkpoint: {error!r}") from error
    return _dimensions(path, stated), state, "tokens", None


def _build(path: Path, dims: ModelDimensions, state: Mapping[str, Tensor]) -> Whisper:
    from whisper.model import Whisper

    try:
        model = Whisper(dims)
        model.load_state_dict(state)
    except (AttributeError, TypeError, RuntimeError, AssertionError) as error:
        lines = str(error).splitlines()
        reason = lines[1 if len(lines) > 1 else 0].strip() if lines else repr(error)
        raise CheckpointError(f"{path}: weights and stated dims differ: {reason}") from error
    for name, weights in model.state_dict().items():
        if not weights.isfinite().all():
            raise CheckpointError(f"{path}: {name} is not of numbers; get these weights anew")
    return model.eval().requires_grad_(False)


def _placed(model: Whisper, device: Device, dtype: Dtype) -> Whisper:
    """On its device; matrices in half precision where asked, layer norms kept in float32.

    openai-whisper casts float32 matrices anew in every call; the values are the same.
    """
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype == "auto":
        dtype = "float16" if device == "cuda" else "float32"
    if device == "mps":  # has no sparse tensors, and nobody here asks for word timing
        model.register_buffer("alignment_heads", None, persistent=False)
    model = model.to(device)
    for module in model.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv1d):
            module.to(getattr(torch, dtype))
    return model
