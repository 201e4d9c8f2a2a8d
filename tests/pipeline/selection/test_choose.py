"""The choice of takes: gates first, then duplicates, best takes and balance."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from pipeline.recipe_file import load_recipe
from pipeline.selection.choose import (
    CHOICES,
    Candidates,
    Choice,
    Selection,
    decide,
    utilities,
)
from pipeline.selection.gates import Gate
from pipeline.settings_file import BadRecipe


def candidates(lines, mos, **fields):
    count = len(lines)
    defaults = {
        "take_ids": [f"t{row}" for row in range(count)],
        "languages": np.array([line[-2:] for line in lines], dtype=object),
        "emotions": ["happy"] * count,
        "audio_sha256": [f"h{row}" for row in range(count)],
    }
    return Candidates(lines=lines, columns={"mos": np.array(mos, float)}, **{**defaults, **fields})


def gates(**fields):
    return {name: TypeAdapter(Gate).validate_python(gate) for name, gate in fields.items()}


def reasons(decisions):
    return [decision.reason for decision in decisions]


def test_the_first_failed_gate_is_the_reason_and_all_are_recorded():
    takes = candidates(["a/de", "a/de"], [1.0, 3.0])
    strict = gates(low={"score": "mos", "min": 2}, high={"score": "mos", "min": 4})
    first, second = decide(takes, strict, Selection())
    assert (first.reason, first.score, first.threshold) == ("low", 1.0, 2.0)
    assert first.failed == ("low", "high")
    assert (second.reason, second.failed) == ("high", ("high",))


def test_the_best_take_of_a_line_is_kept_and_the_other_knows_by_what():
    takes = candidates(["a/de", "a/de", "b/de"], [2.0, 3.0, 1.0])
    decisions = decide(takes, {}, Selection(utility={"mos": 1.0}))
    assert reasons(decisions) == ["best_take", None, None]
    assert (decisions[0].score, decisions[0].threshold) == (2.0, 3.0)


def test_a_take_that_fails_a_gate_does_not_compete():
    takes = candidates(["a/de", "a/de"], [2.0, 9.0])
    decisions = decide(takes, gates(g={"score": "mos", "max": 5}), Selection(utility={"mos": 1}))
    assert reasons(decisions) == [None, "g"]


def test_equal_audio_is_kept_once():
    takes = candidates(["a/de", "b/de"], [1.0, 1.0], audio_sha256=["same", "same"])
    first, second = decide(takes, {}, Selection())
    assert (first.reason, second.reason) == (None, "duplicate")
    assert (second.score, second.threshold) == (1.0, 0.0)


def chosen(lines, mos, audio, **selection):
    takes = candidates(lines, mos, audio_sha256=audio)
    return reasons(decide(takes, {}, Selection(utility={"mos": 1.0}, **selection)))


def test_audio_stays_where_its_other_copy_is_not_kept():
    lines = ["a/de", "a/de", "b/de"]
    assert chosen(lines, [3, 2, 1], ["x", "y", "y"]) == [None, "best_take", None]
    assert chosen(lines, [2, 1, 3], ["x", "y", "y"]) == [None, "duplicate", None]
    lines = ["a/de", "b/de", "c/fr"]
    assert chosen(lines, [3, 2, 1], ["x", "y", "y"], most_per_emotion=1) == [None, "balance", None]


def test_a_line_whose_best_take_is_a_copy_keeps_another():
    lines = ["a/de", "b/de", "b/de"]
    assert chosen(lines, [3, 2, 1], ["x", "x", "y"]) == [None, "duplicate", None]
    both = chosen(["a/de"] * 3, [3, 2, 1], ["x", "x", "y"], takes_per_line=2)
    assert both == [None, "duplicate", None]


def test_audio_is_kept_once_also_where_a_copy_or_the_balance_comes_between():
    lines = ["a/de", "b/de", "b/de", "c/de"]
    assert chosen(lines, [4, 3, 2, 1], ["x", "x", "y", "y"]) == [None, "duplicate"] * 2
    lines = ["a/de", "b/de", "c/fr"]
    balanced = chosen(lines, [3, 2, 1], ["x", "y", "y"], most_per_emotion=2)
    assert balanced == [None, None, "duplicate"]


def test_which_copy_stays_does_not_depend_on_the_order_of_takes():
    random = np.random.default_rng(0)
    lines = np.array([f"{row % 9}/{language}" for row in range(20) for language in ("de", "fr")])
    mos, audio = random.integers(0, 4, 40), random.integers(0, 12, 40).astype(str)
    ids = np.array([f"t{row}" for row in range(40)])
    selection = Selection(utility={"mos": 1.0}, most_per_emotion=3)

    def decided(order):
        shuffled = candidates(
            list(lines[order]),
            mos[order],
            audio_sha256=list(audio[order]),
            take_ids=list(ids[order]),
        )
        return {one.take_id: one.reason for one in decide(shuffled, {}, selection)}

    first = decided(np.arange(40))
    assert {*first.values()} == {None, "duplicate", "best_take", "balance"}
    assert all(decided(random.permutation(40)) == first for _ in range(5))
    kept = {sound for sound, name in zip(audio, ids, strict=True) if first[name] is None}
    copies = {sound for sound, name in zip(audio, ids, strict=True) if first[name] == "duplicate"}
    assert copies <= kept


def test_balance_keeps_the_best_of_each_language_and_emotion():
    takes = candidates(["a/de", "b/de", "c/de", "d/fr"], [1.0, 3.0, 2.0, 0.0])
    decisions = decide(takes, {}, Selection(utility={"mos": 1.0}, most_per_emotion=2))
    assert reasons(decisions) == ["balance", None, None, None]


def test_a_new_choice_is_made_after_the_others_and_its_name_is_no_gates(monkeypatch):
    def too_loud(candidates, utility, rows, selection):
        yield from ((row, 9.0, 1.0) for row in rows)

    monkeypatch.setitem(CHOICES, "loud", Choice("it is loud", "they are loud", "level", too_loud))
    takes = candidates(["a/de", "b/de"], [1.0, 1.0], audio_sha256=["same", "same"])
    first, second = decide(takes, {}, Selection())
    assert (first.reason, first.score, first.threshold, first.failed) == ("loud", 9, 1, ("loud",))
    assert second.reason == "duplicate"
    with pytest.raises(BadRecipe, match="'loud' is a choice among takes that passed"):
        load_recipe("quickstart", ["gates.loud={score: duration_s, max: 1}"])


def test_every_take_gets_a_decision_in_its_order():
    takes = candidates([f"{row}/de" for row in range(50)], np.arange(50.0))
    decisions = decide(takes, gates(g={"score": "mos", "min_quantile": 0.5}), Selection())
    assert [decision.take_id for decision in decisions] == list(takes.take_ids)
    assert reasons(decisions).count("g") == 25


def test_a_missing_score_is_worth_the_least():
    columns = {"mos": np.array([1.0, np.nan, 3.0])}
    assert utilities(columns, {"mos": 2.0}, 3).tolist() == [2.0, 2.0, 6.0]


def test_a_score_that_no_take_has_says_nothing_of_any():
    columns = {"mos": np.array([1.0, 3.0]), "likeness": np.full(2, np.nan)}
    assert utilities(columns, {"likeness": 1.0, "mos": 1.0}, 2).tolist() == [1.0, 3.0]


def test_no_takes_no_decisions():
    assert decide(candidates([], []), {}, Selection()) == []


def test_takes_per_line_may_be_more_than_one():
    takes = candidates(["a/de"] * 3, [1.0, 2.0, 3.0])
    decisions = decide(takes, {}, Selection(utility={"mos": 1}, takes_per_line=2))
    assert reasons(decisions) == ["best_take", None, None]
    assert (decisions[0].score, decisions[0].threshold) == (1.0, 2.0)


@pytest.mark.parametrize("count", [0, -1])
def test_selection_keeps_at_least_one_take(count):
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Selection(takes_per_line=count)
