"""The smallest recipe that has every part, and a set of clips that it can learn from."""

from __future__ import annotations

from model.recipe import TrainingRecipe

WIDTH = 16

TINY = {
    "name": "tiny",
    "data": {"sets": [{"engine": "folder", "path": "set"}]},
    "encoder": {"engine": "random", "width": WIDTH, "heads": 2},
    "qformer": {"queries": 4, "layers": 1, "width": 16, "heads": 2},
    "language_model": {"engine": "tiny", "width": 16, "layers": 2, "heads": 2},
    "prompts": ["Hear {speech} Emotion:", "{speech} Feels:"],
    "labels": ["angry", "happy", "sad"],
    "shared_width": 8,
    "stages": [{"name": "align", "steps": 4, "batch_size": 4, "learning_rate": 1e-3}],
}


def tiny_recipe(**changes) -> TrainingRecipe:
    return TrainingRecipe.model_validate({**TINY, **changes})
