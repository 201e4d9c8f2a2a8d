"""What judged a set, and what nothing did, as the card tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from pipeline.cards.checks import ABSENT
from pipeline.judges.any import AnyJudge
from pipeline.judges.base import Judge, JudgeBatch, JudgeContext, Measured
from pipeline.provenance.components import ledger
from tests.pipeline.cards.reading import Make, card_of
from tests.unions import engines_of


def test_it_says_which_checks_ran_and_which_did_not(
    dataset_folder: Path, make_dataset_folder: Make
) -> None:
    card = card_of(dataset_folder)
    assert "**No person listened**" in card
    assert "**No transcript check**" in card
    assert "- **quality**: sound quality" in card
    assert "Read by the gate emotion." in card
    judges = [{"engine": "whisper"}, {"engine": "duration"}]
    other = card_of(make_dataset_folder("other", recipe={"judges": judges, "gates": {}}))
    assert "No transcript check" not in other
    assert "**No emotion classifier**" in other
    assert "Measured only: no gate reads it." in other


class Ear(Judge):
    """A judge that is new to the card."""

    engine: Literal["ear"] = "ear"
    checks: ClassVar[str] = "how it sounds to an ear"
    measures: ClassVar[frozenset[Measured]] = frozenset({"quality"})
    scores: ClassVar[Mapping[str, str]] = {"ear_opinion": "what an ear says"}

    def load(self, context: JudgeContext) -> JudgeBatch:
        raise NotImplementedError


def test_a_new_judge_is_told_of_by_what_it_says_itself(
    make_dataset_folder: Make, monkeypatch: Any
) -> None:
    monkeypatch.setattr("pipeline.cards.checks.AnyJudge", Ear)
    monkeypatch.setitem(ledger(), ("judge", "ear"), ledger()["judge", "duration"])
    card = card_of(make_dataset_folder(recipe={"judges": [{"engine": "ear"}], "gates": {}}))
    assert "- **ear**: how it sounds to an ear. Measured only: no gate reads it." in card
    assert "Sound quality was not estimated." not in card
    assert "No voice activity detector looked for speech." in card


def test_what_no_judge_measured_is_said_of_each(make_dataset_folder: Make) -> None:
    assert {one for judge in engines_of(AnyJudge) for one in judge.measures} == set(ABSENT)
    assert set(ABSENT) == set(get_args(Measured))
    card = card_of(make_dataset_folder(recipe={"judges": [], "gates": {}}))
    assert [sentence for sentence in ABSENT.values() if f"\n- {sentence}\n" not in card] == []


def test_judges_of_one_kind_are_told_apart_by_name(make_dataset_folder: Make) -> None:
    judges = [
        {
            "engine": "emotion",
            "name": name,
            "model": "a/b",
            "labels": {"sad": "sad", "rest": None},
        }
        for name in ("first", "second")
    ]
    card = card_of(make_dataset_folder(recipe={"judges": judges, "gates": {}}))
    assert "- **first**: whether a pretrained emotion classifier" in card
    assert "- **second**: whether a pretrained emotion classifier" in card


UNREAD = "No person who speaks the language read the translations"


def test_who_read_an_own_table_of_translations_is_its_owner_s_to_say(
    make_dataset_folder: Make,
) -> None:
    memory = {"engine": "memory", "path": "ours.tsv"}
    stated = {"translation": memory, "licences": {"ours.tsv": "CC-BY-4.0"}}
    card = card_of(make_dataset_folder("own", recipe=stated))
    assert UNREAD not in card
    told = (
        "- The translations were given in the table `ours.tsv`: who wrote them, and who read them"
    )
    assert f"{told}, is its owner's to say; no model rated them.\n" in card
    assert (
        "| ours.tsv (texts) | – | CC-BY-4.0 | the recipe, by whoever built the set | yes |" in card
    )
    judged = card_of(
        make_dataset_folder("read", recipe={**stated, "text_judges": [{"engine": "form"}]})
    )
    assert f"{told}, is its owner's to say.\n" in judged


def test_the_built_in_translations_and_a_model_s_are_said_to_be_unread(
    make_dataset_folder: Make,
) -> None:
    assert f"- {UNREAD}, and no model rated them.\n" in card_of(make_dataset_folder("built-in"))
    nllb = {"engine": "nllb", "revision": "abc"}
    made = make_dataset_folder("made", recipe={"translation": nllb, "corrections": "own.tsv"})
    assert f"- {UNREAD}, and no model rated them, but for the corrected lines.\n" in card_of(made)


def test_a_recipe_without_judges_says_so(make_dataset_folder: Make) -> None:
    card = card_of(make_dataset_folder(recipe={"judges": [], "gates": {}}))
    assert "No judge measured the takes." in card


def test_recordings_without_a_probe_are_not_denied(
    make_dataset_folder: Make, kept_rows: list[dict[str, Any]]
) -> None:
    for place, row in enumerate(kept_rows):
        row["neutral_from"] = ("speaker", "speaker", "gender")[place % 3]
    card = card_of(make_dataset_folder(kept=kept_rows, build={"probe": None}))
    assert "there are no human recordings" not in card
    assert "no probe of this recipe was fitted on the human recordings." in card
    assert re.search(r"relative to: speaker \(\d+ takes\), gender \(\d+ takes\)\.", card)


def test_a_probe_that_was_not_fitted_is_no_check(
    dataset_folder: Path, make_dataset_folder: Make
) -> None:
    assert "- **probe**: whether" in card_of(dataset_folder)
    card = card_of(make_dataset_folder("dry", build={"probe": None}))
    assert "- **probe**: whether" not in card
    assert "- **The probe was not fitted**: too few" in card.split("Not checked:")[1]
