"""Recipes of a training: those that come with m5ser, and wrong ones."""

import pytest

from model.recipe_file import load_training_recipe
from pipeline.settings_file import BadRecipe


@pytest.mark.parametrize("name", ["quickstart", "m5ser"])
def test_the_bundled_training_recipes_are_valid(name):
    recipe = load_training_recipe(f"recipes/training/{name}.yaml")
    assert recipe == load_training_recipe(name)
    assert recipe.name == name


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("labels=[angry]", "labels"),
        ("labels=[sad, '']", "labels"),
        ("labels=[sad, sad]", "names an emotion more than once"),
        ("prompts=[no speech]", "has no single {speech}"),
        ("encoder.engine=wav2vec", "unknown engine 'wav2vec'"),
        ("stages.0.losses={word: 0}", "all losses are switched off"),
        ("language_model={engine: pretrained, model: a/b}", "revision is missing: 'a/b' is no"),
        ("language_model={engine: pretrained, model: a/b, revision: main}", "revision"),
        ("data.sets=[{engine: datasets, name: a/b, revision: main}]", "revision"),
    ],
)
def test_a_wrong_recipe_is_explained(override, message):
    with pytest.raises(BadRecipe, match=message):
        load_training_recipe("quickstart", [override])
