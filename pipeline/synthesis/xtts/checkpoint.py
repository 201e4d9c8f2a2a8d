"""An XTTS folder (config.json, vocab.json, and model.safetensors or model.pth) becomes a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.pretrained.named import ModelError
from pipeline.pretrained.opening import opening, read_config, refuse_broken_weights, sound_rate
from pipeline.synthesis.coqui import read_weights

SAFE = "model.safetensors"
PICKLED = "model.pth"
"""The one pickled file that is read; the others of the official folder are for training."""


def load_xtts(folder: Path, device: str, dtype: str) -> Any:
    """The `TTS.tts.models.xtts.Xtts` of a folder, ready to speak.

    The autoregressive decoder runs in `dtype`; conditioning and vocoder are convolutions over
    waveforms and spectra of any level and stay in float32.

    Raises:
        ModelError: the folder is not that of an XTTS, or a file of it is damaged.
    """
    _check(folder)
    import torch

    with opening(folder, "XTTS"):
        model = _open(folder)
        _fold_weight_norm(model.hifigan_decoder.waveform_decoder)
        model.to(device).requires_grad_(False)
    _decode_in(model.gpt, getattr(torch, dtype))
    refuse_broken_weights(folder, model)
    sound_rate(folder, model.config.audio.output_sample_rate)
    return model


def _decode_in(decoder: Any, dtype: Any) -> None:
    """Let the autoregressive decoder run in a data type."""
    parts = ("gpt", "text_embedding", "mel_embedding", "final_norm", "mel_head")
    for name in (*parts, "text_pos_embedding", "mel_pos_embedding"):
        getattr(decoder, name).to(dtype)
    # In place of GPT-2's positions coqui has a function that gives zeros in float32, which no
    # `to` reaches; added to half-precision states they would make these single again.
    zeros = decoder.gpt.wpe
    decoder.gpt.wpe = lambda places: zeros(places).to(dtype)


def _open(folder: Path) -> Any:
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models import xtts

    config = XttsConfig()
    config.load_json(str(folder / "config.json"))
    safe = folder / SAFE
    with xtts._legacy_safe_globals():  # the pickle also holds the configuration's own classes
        weights = read_weights(safe if safe.is_file() else folder / PICKLED)
    model = xtts.Xtts(config)
    # Its own reader unpickles, and writes the file anew in its place.
    model._load_checkpoint = lambda _path: weights
    # An empty path: without the table of studio voices, another pickle.
    model.load_checkpoint(config, checkpoint_dir=str(folder), speaker_file_path="")
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
    kind = read_config(folder).get("model")
    if kind != "xtts":
        raise ModelError(f"model: config.json in '{folder}' is of a model '{kind}', not 'xtts'")
