"""Models and tokenizers of transformers, opened from a local folder and held against their files.

transformers gives random numbers to weights that a checkpoint lacks and says so in its log alone;
here that is an error.
"""

from __future__ import annotations

import pickle
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.pretrained.batching import is_out_of_memory
from pipeline.pretrained.named import ModelError
from pipeline.pretrained.quiet import quiet

_PACKAGES = "pip install 'm5ser[neural]'"


def open_model(kind: str, folder: Path, device: str, dtype: str, **options: Any) -> Any:
    """A model of one of transformers' classes on its device, in evaluation mode, without gradients.

    `kind` names the class, as "AutoModelForSeq2SeqLM"; weights of the class that the folder lacks
    are an error, and what else it holds is left out.

    Raises:
        ModelError: the files are damaged, are of another architecture, lack weights, or need more
            memory than there is.
        ModuleNotFoundError: transformers is not installed.
    """
    import torch
    from safetensors import SafetensorError

    from_pretrained = getattr(_transformers(), kind).from_pretrained
    try:
        with quiet():
            model, found = from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                dtype=getattr(torch, dtype),
                output_loading_info=True,
                **options,
            )
        model = model.to(device)
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        SafetensorError,
        pickle.PickleError,
    ) as error:
        raise _unusable(folder, kind, error) from error
    if found["missing_keys"]:
        missing = sorted(found["missing_keys"])
        raise ModelError(
            f"model: '{folder.name}' lacks {len(missing)} weights of a {type(model).__name__}, "
            f"among them {missing[0]}: name a checkpoint that was trained for this"
        )
    return model.eval().requires_grad_(False)


def open_tokenizer(folder: Path, **options: Any) -> Any:
    """The tokenizer of a folder.

    Raises:
        ModelError: the files are missing or damaged.
        ModuleNotFoundError: transformers is not installed.
    """
    opener = _transformers().AutoTokenizer
    try:
        with quiet():
            return opener.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, **options
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(folder, "tokenizer", error) from error


def _transformers() -> Any:
    try:
        return import_module("transformers")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"this engine needs '{error.name}', which is not installed: {_PACKAGES}"
        ) from error


def _unusable(folder: Path, kind: str, error: Exception) -> ModelError:
    reason = str(error).strip().partition("\n")[0] or repr(error)
    if is_out_of_memory(error):
        return ModelError(
            f"model: '{folder.name}' doesn't fit into the memory of the device ({reason}); name a "
            "smaller model, or set device: cpu"
        )
    return ModelError(
        f"model: '{folder.name}' can't be opened as {kind}: its files are damaged, missing or of "
        f"another architecture ({reason})"
    )
