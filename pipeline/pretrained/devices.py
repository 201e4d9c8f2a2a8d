"""On which device a model runs, and in which precision."""

from __future__ import annotations

from typing import Literal

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["auto", "float32", "float16", "bfloat16"]
Half = Literal["float16", "bfloat16"]


def resolve(device: Device, dtype: Dtype, half: Half = "float16") -> tuple[str, str]:
    """What `auto` means here: CUDA where there is one, and there `half`; else the CPU in float32.

    Returns torch's names of the device and of the dtype.
    """
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype == "auto":
        dtype = half if device == "cuda" else "float32"
    return device, dtype
