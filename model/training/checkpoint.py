"""Checkpoints of a training: written beside and then moved, so that a kill or a full disk leaves
the one before as it was."""

from __future__ import annotations

import errno
import json
import pickle
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from model.network.ser import trained_tensors
from pipeline.errors import InputError

_NAME = "checkpoint-{stage:02d}-{step:08d}"
_GOES_ON = "the training goes on from the one before"
_MEND = "remove what is damaged: `m5ser train` goes on from what is left"


@dataclass(frozen=True)
class Position:
    """Where a training stands: steps done in a stage, and the best validation UAR of the stage.

    `batches` that all processes read for these steps: with another number of them it goes on there.
    """

    stage: int = 0
    step: int = 0
    batches: int = 0
    best_ua: float = -1.0


class Stateful(Protocol):
    """What has a state beside the weights: an optimizer, a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """The state."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Put the state back."""


def save(
    folder: Path,
    position: Position,
    module: nn.Module,
    rest: Mapping[str, Stateful],
    keep: int,
) -> None:
    """Write a checkpoint into `folder`; then all but the `keep` newest are removed.

    Raises:
        OSError: it can't be written; the earlier ones stay.
    """
    place = folder / _NAME.format(stage=position.stage, step=position.step)
    temporary = place.with_suffix(".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        save_weights(temporary / "trained.safetensors", trained_tensors(module))
        _save_rest(temporary / "rest.pt", {name: one.state_dict() for name, one in rest.items()})
        (temporary / "position.json").write_text(json.dumps(asdict(position)), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        temporary.rename(place)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    for old in _all(folder)[:-keep]:
        shutil.rmtree(old)


def newest(folder: Path) -> Path | None:
    """The newest complete checkpoint of a training."""
    found = _all(folder)
    return found[-1] if found else None


def best_path(folder: Path, stage: str) -> Path:
    """The weights with the highest validation UAR of a stage."""
    return folder / f"best-{stage}.safetensors"


def read_position(place: Path) -> Position:
    """Where the training stood.

    Raises:
        InputError: the checkpoint is damaged.
    """
    try:
        held = json.loads((place / "position.json").read_text(encoding="utf-8"))
        # By name: of a checkpoint without one of them the training would go on in a wrong place.
        return Position(held["stage"], held["step"], held["batches"], held["best_ua"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(place, error) from error


def restore(place: Path, module: nn.Module, rest: Mapping[str, Stateful]) -> None:
    """Put the weights back, and the state of the `rest`.

    Raises:
        InputError: the checkpoint is damaged, or of another architecture.
    """
    load_weights(place / "trained.safetensors", module, f"remove '{place}': {_GOES_ON}")
    try:
        held = torch.load(place / "rest.pt", map_location="cpu", weights_only=True)
        for name, one in rest.items():
            one.load_state_dict(held[name])
    except pickle.UnpicklingError as error:  # torch advises to run what the file says
        raise _damaged(place, ValueError("rest.pt is no checkpoint's")) from error
    except (OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError) as error:
        raise _damaged(place, error) from error


def load_best(folder: Path, stage: str, module: nn.Module) -> None:
    """Put the best weights of a finished stage back.

    Raises:
        InputError: there are none any more, or they are of another architecture.
    """
    # The stage's checkpoints know that the best was found before them, and not what it was.
    mend = f"remove '{folder}', and `m5ser train` begins anew"
    load_weights(best_path(folder, stage), module, mend)


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write weights as safetensors, whole or not at all.

    Raises:
        OSError: they can't be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    temporary = path.with_name(f"{path.name}.tmp")
    try:
        held = {name: weight.detach().cpu().contiguous() for name, weight in weights.items()}
        save_file(held, temporary)
        temporary.replace(path)
    except SafetensorError as error:
        raise _unwritten(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def load_weights(path: Path, module: nn.Module, mend: str = _MEND) -> None:
    """Read weights into what `trained_tensors` names of a module; `mend` says what else to do.

    Raises:
        InputError: there are none, or they are of another architecture.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        held = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"'{path}' can't be read as safetensors: {error}; {mend}") from error
    wanted = trained_tensors(module)
    wrong = [
        name
        for name in sorted(wanted.keys() | held.keys())
        if name not in wanted or name not in held or wanted[name].shape != held[name].shape
    ]
    if wrong:
        raise InputError(
            f"'{path}' is of another architecture: {len(wrong)} of {len(wanted)} weights differ, "
            f"'{wrong[0]}' for one; use the recipe that it was trained by, or another folder"
        )
    with torch.no_grad():
        for name, parameter in wanted.items():
            parameter.copy_(held[name])


def _save_rest(path: Path, rest: Any) -> None:
    try:
        torch.save(rest, path)
    except RuntimeError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: Exception) -> OSError:
    """What torch and safetensors say of a full disk, as Python says it."""
    reason = str(error).splitlines()[0]
    return OSError(errno.EIO, f"can't be written, is the disk full? ({reason})", str(path))


def _damaged(place: Path, error: Exception) -> InputError:
    reason = (str(error).splitlines() or [repr(error)])[0]
    return InputError(f"'{place}' is damaged ({reason}); remove it, and {_GOES_ON}")


def _all(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("checkpoint-*") if path.suffix != ".tmp")
