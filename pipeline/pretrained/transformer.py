"""Models and tokenizers of transformers, opened from a local folder and held against their files.

transformers gives random numbers to weights that a checkpoint lacks and says so in its log alone;
here that is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.pretrained.named import ModelError
from pipeline.pretrained.opening import opening, refuse_broken_weights

_PACKAGES = "pip install 'm5ser[neural]'"


def open_model(kind: str | Any, folder: Path, device: str, dtype: str, **options: Any) -> Any:
    """A model of one of transformers' classes on its device, in evaluation mode, without gradients.

    `kind` is the class or names it, as "AutoModelForSeq2SeqLM"; weights of the class that the
    folder lacks are an error, and what else it holds is left out.

    Raises:
        ModelError: the files are damaged, are of another architecture, lack weights, hold some that
            are no numbers, or need more memory than there is.
        ModuleNotFoundError: transformers is not installed.
    """
    import torch

    architecture = getattr(_transformers(), kind) if isinstance(kind, str) else kind
    with opening(folder, architecture.__name__):
        model, found = architecture.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            # The rule of `model_folder`: pickles are for a folder that has no safetensors.
            use_safetensors=any(folder.glob("*.safetensors")),
            ignore_mismatched_sizes=True,  # they are told of below, by name
            dtype=getattr(torch, dtype),
            output_loading_info=True,
            **options,
        )
        model = model.to(device)
    _refuse_other_weights(folder, type(model).__name__, found)
    refuse_broken_weights(folder, model)
    return model.eval().requires_grad_(False)


def refuse_several_labels(model: Any, name: str) -> None:
    """Let no classifier by that gives each label a probability of its own, and no distribution.

    Raises:
        ModelError: it is one, by its config.
    """
    if model.config.problem_type == "multi_label_classification":
        raise ModelError(
            f"model: '{name}' may find several labels at once (multi_label_classification), so "
            "that its probabilities don't add up to 1; name a model that chooses one label"
        )


def open_tokenizer(folder: Path, **options: Any) -> Any:
    """The tokenizer of a folder.

    Raises:
        ModelError: the files are missing or damaged.
        ModuleNotFoundError: transformers is not installed.
    """
    return _open("AutoTokenizer", "tokenizer", folder, options)


def open_config(folder: Path) -> Any:
    """The configuration of a folder's model, as its own class of transformers.

    Raises:
        ModelError: config.json is missing or damaged.
        ModuleNotFoundError: transformers is not installed.
    """
    return _open("AutoConfig", "configuration", folder, {})


def open_extractor(folder: Path) -> Any:
    """What prepares sound for a folder's model.

    Raises:
        ModelError: its file is missing or damaged.
        ModuleNotFoundError: transformers is not installed.
    """
    return _open("AutoFeatureExtractor", "feature extractor", folder, {})


def _open(opener: str, kind: str, folder: Path, options: dict[str, Any]) -> Any:
    from_pretrained = getattr(_transformers(), opener).from_pretrained
    with opening(folder, kind):
        return from_pretrained(folder, local_files_only=True, trust_remote_code=False, **options)


def _refuse_other_weights(folder: Path, kind: str, found: Mapping[str, Any]) -> None:
    # A mask's embedding is used in training only.
    missing = sorted(key for key in found["missing_keys"] if not key.endswith("masked_spec_embed"))
    if missing:
        raise ModelError(
            f"model: '{folder}' lacks {len(missing)} weights of a {kind}, among them "
            f"{missing[0]}: name a checkpoint that was trained for this"
        )
    for name, held, wanted in sorted(found["mismatched_keys"]):
        raise ModelError(
            f"model: '{folder}' holds {name} in the shape {list(held)}, its config.json wants "
            f"{list(wanted)}: get both from one revision"
        )


def _transformers() -> Any:
    try:
        return import_module("transformers")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"this engine needs '{error.name}', which is not installed: {_PACKAGES}"
        ) from error
