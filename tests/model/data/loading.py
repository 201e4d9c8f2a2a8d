"""Clips loaded as a training loads them."""

from model.data.load import load_clips
from model.recipe.sets import DataSettings
from tests.model.tiny import PITCH_HZ

LABELS = tuple(PITCH_HZ)


def load(path, encoder, where, split="train", labels=LABELS, **settings):
    sets = settings.pop("sets", [{"engine": "folder", "path": str(path)}])
    data = DataSettings.model_validate({"sets": sets, **settings})
    return load_clips(data, split, labels, encoder, where)
