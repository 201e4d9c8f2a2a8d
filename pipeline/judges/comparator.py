"""AutoPCP's comparator: how alike raters would call the prosody of two clips, by their embeddings.

A checkpoint is a folder of two pickles with one name, as facebookresearch/stopes writes them
(eval/auto_pcp): `.config`, the settings of a small network, and `.pt`, its weights. Both are read
as plain values and tensors; anything else in them is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from pipeline.engine import Settings
from pipeline.needs import Lack
from pipeline.pretrained.named import ModelError
from pipeline.pretrained.opening import opening

if TYPE_CHECKING:
    from torch import Tensor, nn

ADDRESS = (
    "https://dl.fbaipublicfiles.com/speech_expressivity_evaluation/AutoPCP-multilingual-v2.zip"
)
"""Of the published one, as stopes names it."""

Compare = Callable[["Tensor", "Tensor"], "Tensor"]
"""Embeddings [B, D] of one side and of the other: ratings [B]."""

_Size = Annotated[int, Field(ge=1, le=65_536)]


class ComparatorSettings(Settings):
    """What `.config` holds, for the kinds that compare two vectors."""

    input_form: Literal["qe"]
    """Two sides; `comet`, of three, needs a reference translation."""
    idim: _Size
    odim: _Size
    """Of several outputs the first is the rating."""
    nhid: tuple[_Size, ...]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    activation: Literal["TANH", "RELU"]
    norm_emb: bool
    output_act: bool
    trainable_pooler: Literal[False] = False
    """A comparator that pools the frames by itself gets no mean of them."""


def load_comparator(folder: Path, width: int) -> Compare:
    """The comparator of a folder, for embeddings of this width.

    The rating of (a, b) is the mean of both orders, so that it is that of (b, a).

    Raises:
        ModelError: the files are missing, damaged, hold more than numbers, or are of another kind.
    """
    import torch
    from torch.nn.functional import normalize

    settings, weights = _settings(folder), _weights(folder)
    if settings.idim != width:
        raise ModelError(
            f"comparator: '{folder}' compares vectors of {settings.idim} numbers, the model's have "
            f"{width}; name the model that it was trained with"
        )
    with torch.device("meta"):  # so that a size in the settings allocates nothing
        network = _network(settings)
    with opening(folder, "a comparator of these settings", "comparator"):
        network.load_state_dict(
            {name.removeprefix("mlp."): tensor.float() for name, tensor in weights.items()},
            assign=True,
        )
    network.eval().requires_grad_(False)

    def rate(one: Tensor, other: Tensor) -> Tensor:
        found: Tensor = network(torch.cat([one, other, one * other, (one - other).abs()], dim=-1))
        return found[:, 0]

    def compare(one: Tensor, other: Tensor) -> Tensor:
        if settings.norm_emb:
            one, other = normalize(one, dim=-1), normalize(other, dim=-1)
        return (rate(one, other) + rate(other, one)) / 2

    return compare


def comparator_sha256(folder: str) -> str:
    """SHA-256 over both files, the settings first.

    Raises:
        ModelError: they are not there.
    """
    total = hashlib.sha256()
    for file in _files(Path(folder).expanduser()):
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def lacking_comparator(folder: str) -> Iterator[Lack]:
    """The folder, if the comparator is not in it."""
    try:
        _files(Path(folder).expanduser())
    except ModelError:
        archive = ADDRESS.rsplit("/", 1)[-1]
        fix = f"curl -O {ADDRESS} && unzip {archive}, and name its folder in `comparator`"
        yield Lack(f"the folder '{folder}' of AutoPCP's comparator", fix)


def _files(folder: Path) -> tuple[Path, Path]:
    """The settings and the weights."""
    settings = sorted(folder.glob("*.config"))
    if len(settings) != 1 or not settings[0].with_suffix(".pt").is_file():
        raise ModelError(
            f"comparator: '{folder}' doesn't hold one .config and the .pt of the same name; unpack "
            f"{ADDRESS} and name its folder"
        )
    return settings[0], settings[0].with_suffix(".pt")


def _settings(folder: Path) -> ComparatorSettings:
    file = _files(folder)[0]
    try:
        return ComparatorSettings.model_validate(_read(file))
    except ValidationError as error:
        faults = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise ModelError(f"comparator: '{file.name}' is of another kind: {faults}") from error


def _weights(folder: Path) -> dict[str, Tensor]:
    import torch

    file = _files(folder)[1]
    found = _read(file)
    for name, value in found.items():
        if not isinstance(value, torch.Tensor):
            raise ModelError(
                f"comparator: '{name}' in '{file.name}' is of the type {type(value).__name__} and "
                "no tensor; name the file of weights that stopes publishes"
            )
    return found


def _read(file: Path) -> dict[str, Any]:
    import torch

    with opening(file, "a comparator's table", "comparator"):
        found = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(found, dict):
        raise ModelError(f"comparator: '{file.name}' is no table of names")
    return found


def _network(settings: ComparatorSettings) -> nn.Sequential:
    """Layers in the published order: the weights are named by their places."""
    from torch import nn

    activation = nn.Tanh if settings.activation == "TANH" else nn.ReLU
    dropout = [nn.Dropout(settings.dropout)] if settings.dropout else []
    width = 4 * settings.idim  # both sides, their product and their distance
    layers: list[nn.Module] = list(dropout) if settings.nhid else []
    for hidden in settings.nhid:
        layers += [nn.Linear(width, hidden), activation(), *dropout]
        width = hidden
    layers.append(nn.Linear(width, settings.odim))
    if settings.nhid and settings.output_act:
        layers.append(nn.Tanh())
    return nn.Sequential(*layers)
