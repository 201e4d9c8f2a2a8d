"""Which GPUs this machine's workers can have."""

from __future__ import annotations

import ctypes
import os
import runpy
from importlib.util import find_spec
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"


def gpu_names() -> list[str]:
    """How CUDA_VISIBLE_DEVICES names each GPU that this process may use.

    None without CUDA's driver, or where torch was built without CUDA and would leave them idle.
    The driver is asked and not torch, whose import takes seconds and is the workers' business.
    """
    count = _driver_count()
    if not count or not _torch_has_cuda():
        return []
    chosen = os.environ.get(VISIBLE)
    names = [str(at) for at in range(count)] if chosen is None else chosen.split(",")
    return names[:count]


def see_only(name: str) -> None:
    """Let this process see one GPU, or none if `name` is empty; before it asks for any."""
    os.environ[VISIBLE] = name


def _driver_count() -> int:
    """GPUs by the driver, which heeds CUDA_VISIBLE_DEVICES as it will for the workers."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return 0 if failed else count.value


def _torch_has_cuda() -> bool:
    """Read in torch's own file of its version, without the rest of it."""
    torch = find_spec("torch")
    if torch is None or torch.origin is None:
        return False
    return runpy.run_path(str(Path(torch.origin).with_name("version.py")))["cuda"] is not None
