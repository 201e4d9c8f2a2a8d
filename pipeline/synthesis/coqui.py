"""Weights in the formats of coqui-tts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def read_weights(file: Path) -> dict[str, Tensor]:
    """Tensors by name, of safetensors or of a pickle's table `model`, in which no code is run.

    What the readers raise is for `pipeline.pretrained.opening` to say.
    """
    import torch
    from safetensors.torch import load_file

    if file.suffix == ".safetensors":
        return load_file(file)
    tensors: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)["model"]
    return tensors
