"""A finished model as a folder: what was trained, the recipe, and its bases by name and hash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from model.bases import base_models
from model.network.encoder import FrozenEncoder, load_encoder, usable_device
from model.network.ser import EmotionModel, make_model, trained_tensors
from model.recipe.architecture import PretrainedLlama, WhisperEncoder
from model.recipe.file import parse_training_recipe
from model.recipe.training import TrainingRecipe
from model.training import checkpoint
from model.training.checkpoint import newest, read_position
from model.training.journal import draw_curves
from pipeline.cards.templates import render_markdown
from pipeline.dataset.layout import CARD, RECIPE, WEIGHTS
from pipeline.engine import M5SER_VERSION
from pipeline.errors import InputError
from pipeline.pretrained.devices import Device
from pipeline.recipe import without_machine_paths
from pipeline.settings_file import BadRecipe
from pipeline.whisper.checkpoint import BUNDLED, OtherWeights, pinned_sha256

_CONFIG = "config.json"
TRAINED_RECIPE = "training.yaml"
"""The recipe as it was given, with paths of this machine: it is not published."""
_PLACED = ("data", "encoder", "language_model")
"""Sections that may name places of this machine."""


@dataclass(frozen=True)
class Trained:
    """A trained model with its encoder, ready to be asked."""

    recipe: TrainingRecipe
    encoder: FrozenEncoder
    model: EmotionModel


def export(folder: Path, recipe: TrainingRecipe, model: EmotionModel, clips: int) -> None:
    """Write the finished model into the folder of its training.

    Its recipe tells where data and base models lay by their last names alone, as it may be
    published; where they lie here stays in the training's own file.

    Raises:
        OSError: a file can't be written.
    """
    weights = trained_tensors(model)
    checkpoint.save_weights(folder / WEIGHTS, weights)
    pinned = _pinned(recipe)
    fields = pinned.model_dump(mode="json")
    fields |= {name: without_machine_paths(fields[name]) for name in _PLACED}
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    (folder / RECIPE).write_text(text, encoding="utf-8")
    draw_curves(folder, folder / "curves.png")
    config = _config(folder, pinned, sum(weight.numel() for weight in weights.values()), clips)
    (folder / _CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    write_card(folder)


def write_card(folder: Path) -> None:
    """Write the model card from what lies in the folder, with the evaluation where there is one."""
    recipe = _read_recipe(folder)
    config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    evaluation = folder / "evaluation.md"
    card = render_markdown(
        "model_card.md.jinja",
        recipe=recipe,
        **config,
        named=_hub_names(recipe),
        evaluation=evaluation.read_text(encoding="utf-8") if evaluation.is_file() else None,
    )
    (folder / CARD).write_text(card, encoding="utf-8")


def load_trained(folder: Path, device: Device = "auto") -> Trained:
    """The model of a folder that `export` wrote, on a device.

    Raises:
        InputError: it is no such folder, its weights are of another architecture, or there is no
            such device.
    """
    if not (folder / RECIPE).is_file() or not (folder / WEIGHTS).is_file():
        raise InputError(
            f"'{folder}' is no finished model: it has no {RECIPE} and {WEIGHTS}; give the "
            "folder that `m5ser train` wrote"
        )
    try:
        recipe = _read_recipe(folder)
    except BadRecipe as bad:
        raise BadRecipe([f"{RECIPE} of '{folder}': {error}" for error in bad.errors]) from bad
    place = usable_device(device)
    encoder = _own_encoder(folder, recipe, place)
    encoder.whisper.to(place)
    model = make_model(recipe, encoder.width)
    checkpoint.load_weights(folder / WEIGHTS, model)
    return Trained(recipe, encoder, model.eval().to(place))


def _own_encoder(folder: Path, recipe: TrainingRecipe, place: str) -> FrozenEncoder:
    """The encoder that a model was trained on; another one's frames mean nothing to it.

    Raises:
        InputError: it isn't here any more; see `load_encoder`.
    """
    try:
        return load_encoder(recipe.encoder, "cpu" if place == "cpu" else None)
    except InputError as error:
        if isinstance(error.__cause__, OtherWeights) and isinstance(recipe.encoder, WhisperEncoder):
            raise InputError(_other_weights(folder, recipe.encoder)) from error
        raise


def _other_weights(folder: Path, encoder: WhisperEncoder) -> str:
    """Which weights a model needs, and where they are."""
    said = (
        f"'{folder}' was trained on the encoder '{encoder.model}' with the SHA-256 "
        f"{encoder.sha256}, and the one here is another, whose frames mean nothing to it"
    )
    if encoder.model not in BUNDLED:
        return f"{said}: put the weights that it was trained on in its place, or train it anew"
    config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    return (
        f"{said}: it came with the m5ser that wrote the model ({config['m5ser_version']}, and this "
        f"is {M5SER_VERSION}): install that one, or train the model anew"
    )


def _read_recipe(folder: Path) -> TrainingRecipe:
    """The recipe of a model; in the folder of its training with where things lie here.

    Raises:
        InputError: it is damaged, or names a folder of a LLaMA that isn't here.
    """
    trained_here = folder / TRAINED_RECIPE
    places: list[str] = []
    if trained_here.is_file():
        own = parse_training_recipe(trained_here.read_text(encoding="utf-8"))
        places.append(f"data={own.data.model_dump_json()}")
        bases = {"encoder": own.encoder, "language_model": own.language_model}
        places += [
            f"{name}.model={json.dumps(base.model)}"
            for name, base in bases.items()
            if isinstance(base, WhisperEncoder | PretrainedLlama)
        ]
    return parse_training_recipe((folder / RECIPE).read_text(encoding="utf-8"), places)


def stage_models(folder: Path, trained: Trained) -> Iterator[tuple[str, EmotionModel]]:
    """The best model of each stage, one after the other in the same place, the last at the end.

    Of a model that came without its training's folder there is only the last.
    """
    *earlier, last = trained.recipe.stages
    for stage in earlier:
        path = checkpoint.best_path(folder, stage.name)
        if path.is_file():
            checkpoint.load_weights(path, trained.model)
            yield stage.name, trained.model
    checkpoint.load_weights(folder / WEIGHTS, trained.model)
    yield last.name, trained.model


def _pinned(recipe: TrainingRecipe) -> TrainingRecipe:
    """The recipe with the hash of the encoder's weights filled in."""
    if not isinstance(recipe.encoder, WhisperEncoder) or recipe.encoder.sha256:
        return recipe
    sha256 = pinned_sha256(recipe.encoder.model)
    encoder = recipe.encoder.model_copy(update={"sha256": sha256})
    return recipe.model_copy(update={"encoder": encoder})


def _config(folder: Path, recipe: TrainingRecipe, weights: int, clips: int) -> dict[str, Any]:
    """What a reader of the folder must know and the recipe doesn't say."""
    place = newest(folder)
    if place is None:
        raise InputError(f"'{folder}' has no checkpoint: train first")
    return {
        "m5ser_version": M5SER_VERSION,
        "base_models": [asdict(one) for one in base_models(recipe)],
        "sets": [one.title for one in recipe.data.sets],
        "weights": weights,
        "clips": clips,
        "best_ua": read_position(place).best_ua,
    }


def _hub_names(recipe: TrainingRecipe) -> list[str]:
    """The language model as the Hub's `base_model` names it; a folder has no name there."""
    llama = recipe.language_model
    if isinstance(llama, PretrainedLlama) and not Path(llama.model).exists():
        return [llama.model]
    return []
