"""`m5ser ablate` as a person calls it."""

import json

from tests.flows.calling import call


def test_an_ablation_prints_every_arm_by_language(place, tmp_path):
    recipe = json.loads((place / "recipe.yaml").read_text())
    losses = {"supervised_contrast": 0.5, "adversary": 0.1}
    recipe["data"]["speeds"] = [0.9, 1.0]  # a clip counts once
    recipe["stages"] = [{"name": "transfer", "steps": 2, "batch_size": 12, "losses": losses}]
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    arguments = ("--out", tmp_path / "a", "--work", place / "w")
    result = call("ablate", tmp_path / "recipe.yaml", *arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output.splitlines()[-1])
    assert list(found) == ["english", "languages", "contrast", "adversary", "unfiltered"]
    for arm in found.values():
        assert set(arm["metrics"]) == {"all", "en", "de"}
        low, high = arm["metrics"]["all"]["ua_interval"]
        assert low <= arm["metrics"]["all"]["ua"] <= high
    table = (tmp_path / "a" / "ablation.md").read_text()
    assert "| &#43; contrast | 24 |" in table
    assert "| English only | 12 |" in table
    assert "chosen by the validation clips of all languages, also that of English only" in table
