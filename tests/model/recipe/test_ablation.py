"""The arms of an ablation differ in what they say, and in nothing else."""

import pytest

from model.recipe.ablation import arms
from pipeline.errors import InputError
from tests.model.tiny import tiny_recipe

STAGES = [
    {"name": "align", "steps": 2, "languages": ["en"]},
    {
        "name": "transfer",
        "steps": 3,
        "paired": True,
        "losses": {"supervised_contrast": 0.5, "adversary": 0.2, "auxiliary": 0.5},
    },
]


def losses(arm):
    last = arm.recipe.stages[-1].losses
    return last.supervised_contrast, last.adversary, last.auxiliary


def test_each_arm_adds_one_thing():
    recipe = tiny_recipe(stages=STAGES)
    english, languages, contrast, adversary, unfiltered = arms(recipe)
    assert english.recipe.stages[-1].languages == ("en",)
    assert all(arm.recipe.stages[-1].languages is None for arm in (languages, contrast))
    assert losses(english) == losses(languages) == (0.0, 0.0, 0.5)
    assert losses(contrast) == (0.5, 0.0, 0.5)
    assert adversary.recipe == recipe
    assert [one.rejects for one in unfiltered.recipe.data.sets] == ["all"]
    assert unfiltered.recipe.stages == recipe.stages
    for arm in (english, languages, contrast, unfiltered):
        assert arm.recipe.stages[0] == recipe.stages[0]
        assert [stage.steps for stage in arm.recipe.stages] == [2, 3]


def test_what_an_arm_leaves_out_is_left_out_of_all_stages():
    first = {**STAGES[0], "languages": None, "losses": STAGES[1]["losses"]}
    english, languages, contrast, *_ = arms(tiny_recipe(stages=[first, STAGES[1]]))
    assert [stage.languages for stage in english.recipe.stages] == [("en",)] * 2
    for arm, kept in ((english, 0.0), (languages, 0.0), (contrast, 0.5)):
        first, last = (stage.losses for stage in arm.recipe.stages)
        assert first == last
        assert (first.supervised_contrast, first.adversary) == (kept, 0.0)


def test_a_stage_that_would_teach_nothing_is_named():
    losses = {"word": 0.0, "supervised_contrast": 0.5, "adversary": 0.2}
    with pytest.raises(
        InputError, match=r"stages\.transfer\.losses: .* nothing is left: give word"
    ):
        arms(tiny_recipe(stages=[STAGES[0], {**STAGES[1], "losses": losses}]))


@pytest.mark.parametrize("name", ["supervised_contrast", "adversary"])
def test_what_is_not_there_can_not_be_left_out(name):
    without = {**STAGES[1], "losses": {**STAGES[1]["losses"], name: 0.0}}
    with pytest.raises(InputError, match=r"stages\.transfer\.losses: an ablation leaves out"):
        arms(tiny_recipe(stages=[STAGES[0], without]))


def test_only_a_built_folder_has_rejects():
    sets = {"sets": [{"engine": "datasets", "name": "someone/speech", "revision": "0" * 40}]}
    with pytest.raises(InputError, match="knows what was rejected"):
        arms(tiny_recipe(stages=STAGES, data=sets))
