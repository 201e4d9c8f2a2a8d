"""Recipes of a training: those that come with m5ser, and wrong ones."""

import pytest

from model.recipe.file import load_training_recipe
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
        (
            "data.sets=[{engine: folder, path: a}, {engine: folder, path: a}]",
            r"sets\.1 \(a\) is there before: name each set once",
        ),
        ("labels=[sad, sad]", "names an emotion more than once"),
        ("prompts=[no speech]", "has no single {speech}"),
        (
            "qformer.width=65",
            "qformer: width 65 can't be shared by heads 4: .* multiple of 4, as 68",
        ),
        ("stages.0.languages=[]", "stages.0.languages"),
        ("qformer.frame_dropout=1", "qformer.frame_dropout: 1"),
        ("language_model={engine: tiny, width: 36}", "language_model: width 36 .* multiple of 8"),
        (
            "encoder={engine: random, width: 15, heads: 3}",
            "encoder: width 15 .* multiple of 6, as 18",
        ),
        ("encoder={engine: random, width: 2, heads: 1}", "encoder.width: 2"),
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
