"""A finished model as a folder: what was trained, the recipe, and its bases by name and hash."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from model import checkpoint
from model.checkpoint import newest, read_position
from model.encoder import FrozenEncoder, load_encoder
from model.journal import draw_curves
from model.recipe import FolderSet, RandomEncoder, TinyLlama, TrainingRecipe, WhisperEncoder
from model.recipe_file import parse_training_recipe
from model.ser import EmotionModel, make_model, trained_parameters
from pipeline.errors import InputError
from pipeline.templates import render_markdown
from pipeline.whisper.checkpoint import pinned_sha256

_WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Trained:
    """A trained model with its encoder, ready to be asked."""

    recipe: TrainingRecipe
    encoder: FrozenEncoder
    model: EmotionModel


def export(folder: Path, recipe: TrainingRecipe, model: EmotionModel, clips: int) -> None:
    """Write the finished model into the folder of its training.

    Raises:
        OSError: a file can't be written.
    """
    weights = trained_parameters(model)
    checkpoint.save_weights(folder / _WEIGHTS, weights)
    pinned = _pinned(recipe)
    text = yaml.safe_dump(pinned.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    draw_curves(folder, folder / "curves.png")
    values = _card_values(folder, pinned)
    numbers = sum(weight.numel() for weight in weights.values())
    card = render_markdown("model_card.md.jinja", **values, weights=numbers, clips=clips)
    (folder / "README.md").write_text(card, encoding="utf-8")


def load_trained(folder: Path) -> Trained:
    """The model of a folder that `export` wrote.

    Raises:
        InputError: it is no such folder, or its weights are of another architecture.
    """
    recipe_path = folder / "recipe.yaml"
    if not recipe_path.is_file() or not (folder / _WEIGHTS).is_file():
        raise InputError(
            f"'{folder}' is no finished model: it has no recipe.yaml and {_WEIGHTS}; give the "
            "folder that `m5ser train` wrote"
        )
    recipe = parse_training_recipe(recipe_path.read_text(encoding="utf-8"))
    encoder = load_encoder(recipe.encoder)
    model = make_model(recipe, encoder.width)
    checkpoint.load_weights(folder / _WEIGHTS, model)
    return Trained(recipe, encoder, model.eval())


def _pinned(recipe: TrainingRecipe) -> TrainingRecipe:
    """The recipe with the hash of the encoder's weights filled in."""
    if not isinstance(recipe.encoder, WhisperEncoder) or recipe.encoder.sha256:
        return recipe
    sha256 = pinned_sha256(recipe.encoder.model)
    encoder = recipe.encoder.model_copy(update={"sha256": sha256})
    return recipe.model_copy(update={"encoder": encoder})


def _card_values(folder: Path, recipe: TrainingRecipe) -> dict[str, Any]:
    place = newest(folder)
    if place is None:
        raise InputError(f"'{folder}' has no checkpoint: train first")
    llama, encoder = recipe.language_model, recipe.encoder
    return {
        "recipe": recipe,
        "random_encoder": isinstance(encoder, RandomEncoder),
        "encoder": "random weights from the seed"
        if isinstance(encoder, RandomEncoder)
        else f"openai-whisper {Path(encoder.model).name}, sha256 {encoder.sha256}",
        "language_model": f"a LLaMA of width {llama.width} over bytes, trained whole"
        if isinstance(llama, TinyLlama)
        else f"{llama.model}, revision {llama.revision or 'not pinned'}",
        "precision": "float32",
        "sets": [
            Path(one.path).name if isinstance(one, FolderSet) else one.name
            for one in recipe.data.sets
        ],
        "best_ua": f"{read_position(place).best_ua:.3f}",
        "chance": f"{1 / len(recipe.labels):.3f}",
    }
