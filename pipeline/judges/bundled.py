"""Models that ship inside other packages' wheels: where they lie, and how they are opened."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.pretrained.devices import Device

_CUDA = "CUDAExecutionProvider"


def need(module: str, package: str) -> Any:
    """Import a module that a judge cannot do without.

    Raises:
        ModuleNotFoundError: it is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise _missing(module, package) from error


def package_folder(module: str, package: str) -> Path:
    """The folder of an installed package, found without running any of its code.

    Raises:
        ModuleNotFoundError: it is not installed; the message says how to install it.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise _missing(module, package)
    return Path(spec.origin).parent


def open_onnx(path: Path, device: Device = "cpu") -> Any:
    """An ONNX Runtime session on CUDA, or on one CPU thread.

    More threads would only take cores from the other workers, and one thread sums in one order, so
    that scores are the same on every machine of a kind.

    Raises:
        InputError: CUDA is asked for, and this onnxruntime has none.
    """
    onnxruntime = need("onnxruntime", "onnxruntime")
    there = _CUDA in onnxruntime.get_available_providers()
    if device == "cuda" and not there:
        raise InputError(
            "device: this onnxruntime has no CUDA: pip install onnxruntime-gpu in its place, or "
            "say device: cpu"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    providers = [_CUDA] if there and device in ("auto", "cuda") else []
    providers.append("CPUExecutionProvider")
    return onnxruntime.InferenceSession(str(path), options, providers=providers)


def on_gpu(session: Any) -> bool:
    """Whether a session runs on CUDA."""
    return _CUDA in session.get_providers()


def _missing(module: str, package: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(
        f"this judge needs the module '{module}', which is not installed: pip install '{package}'"
    )
