"""An XTTS folder (config.json, vocab.json, and model.safetensors or model.pth) becomes a model."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

from pipeline.pretrained.named import ModelError
from pipeline.pretrained.quiet import quiet

PICKLED = ("model.pth",)
"""The one pickled file that is read; the others of the official folder are for training."""


@quiet()
def load_xtts(folder: Path, device: str, dtype: str) -> Any:
    """The `TTS.tts.models.xtts.Xtts` of a folder, ready to speak.

    The autoregressive decoder runs in `dtype`; conditioning and vocoder are convolutions over
    waveforms and spectra of any level and stay in float32.

    Raises:
        ModelError: the folder is not that of an XTTS.
    """
    _check(folder)
    import torch
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import Xtts

    config = XttsConfig()
    config.load_json(str(folder / "config.json"))
    weights = _read_weights(folder)
    model = Xtts(config)
    # Its own reader unpickles, and writes the file anew in its place.
    model._load_checkpoint = lambda _path: weights
    try:
        # An empty path: without the table of studio voices, another pickle.
        model.load_checkpoint(config, checkpoint_dir=str(folder), speaker_file_path="")
    except RuntimeError as error:
        raise ModelError(
            f"model: the weights in '{folder}' don't fit its config.json: "
            f"{str(error).splitlines()[0]}; get both from one revision"
        ) from error
    _fold_weight_norm(model.hifigan_decoder.waveform_decoder)
    model.to(device).requires_grad_(False)
    for part in ("gpt", "text_embedding", "mel_embedding", "final_norm", "mel_head"):
        getattr(model.gpt, part).to(getattr(torch, dtype))
    model.gpt.text_pos_embedding.to(getattr(torch, dtype))
    model.gpt.mel_pos_embedding.to(getattr(torch, dtype))
    return model


def _fold_weight_norm(vocoder: Any) -> None:
    """Compute the normed weights once, and not anew for every clip."""
    from torch.nn.utils import parametrize

    for module in list(vocoder.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")


def _check(folder: Path) -> None:
    for name in ("config.json", "vocab.json"):
        if not (folder / name).is_file():
            raise ModelError(f"model: '{folder}' has no {name}, which an XTTS folder has")
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model")
    if kind != "xtts":
        raise ModelError(f"model: config.json in '{folder}' is of a model '{kind}', not 'xtts'")


def _read_weights(folder: Path) -> dict[str, Any]:
    """The tensors by name; of a pickle, tensors and the configuration's own classes only."""
    import torch
    from safetensors.torch import load_file
    from TTS.tts.models import xtts

    safe = folder / "model.safetensors"
    if safe.is_file():
        return load_file(safe)
    try:
        with xtts._legacy_safe_globals():
            loaded = torch.load(folder / PICKLED[0], map_location="cpu", weights_only=True)
        tensors: dict[str, Any] = loaded["model"]
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError) as error:
        raise ModelError(
            f"model: '{folder.name}/{PICKLED[0]}' is damaged, or holds more than tensors and an "
            f"XTTS configuration: {str(error).splitlines()[0][:120]}"
        ) from error
    return tensors
