"""Gates: bounds, quantiles by language, missing scores, votes."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.selection.gates import Gate, apply_gate, without_quantiles

LANGUAGES = np.array(["de"] * 4 + ["fr"] * 4, dtype=object)
COLUMNS = {
    "cer": np.array([0.0, 0.1, 0.2, np.nan, 0.5, 0.6, 0.7, 0.8]),
    "mos": np.array([1.0, 2.0, 3.0, 4.0, 4.0, 3.0, 2.0, 1.0]),
}


def gate(**fields):
    return TypeAdapter(Gate).validate_python(fields)


def test_absolute_bound_passes_what_lies_within_and_never_a_missing_score():
    verdict = apply_gate(gate(score="cer", max=0.55), COLUMNS, LANGUAGES)
    assert verdict.passed.tolist() == [True, True, True, False, True, False, False, False]
    assert verdict.threshold[[3, 5]].tolist() == [0.55, 0.55]


def test_both_bounds_belong_to_what_passes_and_may_be_one_value():
    verdict = apply_gate(gate(score="mos", min=2, max=3), COLUMNS, LANGUAGES)
    assert verdict.passed.tolist() == [False, True, True, False] * 2
    assert verdict.threshold[[0, 3]].tolist() == [2.0, 3.0]
    same = apply_gate(gate(score="mos", min=3, max=3), COLUMNS, LANGUAGES)
    assert same.passed.tolist() == [False, False, True, False, False, True, False, False]


def test_quantile_bound_is_taken_by_language():
    verdict = apply_gate(gate(score="cer", max_quantile=0.5), COLUMNS, LANGUAGES)
    assert verdict.passed.tolist() == [True, True, False, False, True, True, False, False]


@pytest.mark.parametrize(("takes", "refused"), [(3, 0), (32, 0), (34, 1), (200, 6)])
@pytest.mark.parametrize(
    ("limit", "sign"), [({"min_quantile": 0.03}, 1), ({"max_quantile": 0.97}, -1)]
)
def test_a_share_of_less_than_one_take_refuses_none(takes, refused, limit, sign):
    columns = {"mos": sign * np.arange(takes, dtype=float)}
    verdict = apply_gate(gate(score="mos", **limit), columns, np.array(["de"] * takes))
    assert takes - verdict.passed.sum() == refused


@pytest.mark.parametrize("takes", [10, 20, 30, 1000])
@pytest.mark.parametrize("share", [0.1, 0.2, 0.3])
def test_the_highest_share_refuses_as_many_as_the_lowest(takes, share):
    columns, languages = {"mos": np.arange(takes, dtype=float)}, np.array(["de"] * takes)
    low = apply_gate(gate(score="mos", min_quantile=share), columns, languages)
    high = apply_gate(gate(score="mos", max_quantile=1 - share), columns, languages)
    assert takes - low.passed.sum() == takes - high.passed.sum() == round(share * takes)


@pytest.mark.parametrize("limit", [{"min_quantile": 0.1}, {"max_quantile": 0.9}])
def test_a_missing_score_was_held_against_nothing_where_there_is_no_limit(limit):
    columns = {"mos": np.array([1.0, np.nan])}
    verdict = apply_gate(gate(score="mos", **limit), columns, np.array(["de", "de"]))
    assert verdict.passed.tolist() == [True, False]
    assert np.isnan(verdict.threshold).all()


def test_the_stricter_of_absolute_and_quantile_bound_decides():
    verdict = apply_gate(gate(score="mos", min=1.5, min_quantile=0.75), COLUMNS, LANGUAGES)
    assert verdict.passed.tolist() == [False, False, False, True, True, False, False, False]
    assert verdict.threshold[0] == pytest.approx(3.25)


def test_a_language_may_have_bounds_of_its_own():
    fields = {"score": "cer", "max": 0.15, "languages": {"fr": {"max": 0.65}}}
    verdict = apply_gate(gate(**fields), COLUMNS, LANGUAGES)
    assert verdict.passed.tolist() == [True, True, False, False, True, True, False, False]


def test_votes_are_counted_and_a_missing_score_is_no_vote():
    votes = [{"score": "cer", "max": 0.55}, {"score": "mos", "min": 2}]
    one = apply_gate(gate(at_least=1, votes=votes), COLUMNS, LANGUAGES)
    two = apply_gate(gate(at_least=2, votes=votes), COLUMNS, LANGUAGES)
    assert one.passed.tolist() == [True, True, True, True, True, True, True, False]
    assert two.passed.tolist() == [False, True, True, False, True, False, False, False]
    assert two.score.tolist() == [1, 2, 2, 1, 2, 1, 1, 0]
    assert set(two.threshold) == {2.0}


def test_a_single_vote_says_what_its_gate_says():
    verdict = apply_gate(gate(at_least=1, votes=[{"score": "mos", "min": 2}]), COLUMNS, LANGUAGES)
    assert (verdict.score_name, verdict.score[0], verdict.threshold[0]) == ("mos", 1.0, 2.0)


@pytest.mark.filterwarnings("error")
def test_a_gate_is_the_same_gate_when_it_is_written_and_read_again():
    one = gate(score="mos", min=2)
    adapter = TypeAdapter(Gate)
    for known in (one, gate(at_least=1, votes=[one])):
        assert adapter.validate_python(known) == known
        assert adapter.validate_json(adapter.dump_json(known)) == known


def test_without_quantiles_a_gate_passes_no_less_and_no_missing_score():
    limits = {"score": "cer", "max": 0.65, "max_quantile": 0.5}
    whole = gate(**limits, languages={"fr": {"max_quantile": 0.5}})
    bare = without_quantiles(whole)
    assert apply_gate(bare, COLUMNS, LANGUAGES).passed.tolist() == [True] * 3 + [False] + [True] * 4
    votes = gate(at_least=1, votes=[limits])
    bare = without_quantiles(votes)
    assert apply_gate(bare, COLUMNS, LANGUAGES).passed.tolist() == (
        [True] * 3 + [False] + [True] * 2 + [False] * 2
    )
    assert without_quantiles(bare) == bare != votes


def test_a_language_of_only_missing_scores_passes_nothing():
    columns = {"cer": np.full(8, np.nan)}
    verdict = apply_gate(gate(score="cer", max_quantile=0.5), columns, LANGUAGES)
    assert not verdict.passed.any()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"score": "cer"}, "no bound"),
        ({"score": "cer", "min": 2, "max": 1}, "swap them"),
        ({"score": "cer", "max": 1, "languages": {"de": {}}}, "no bound"),
        ({"at_least": 3, "votes": [{"score": "cer", "max": 1}]}, "exceeds the 1 votes"),
        ({"score": "cer", "max": float("nan")}, "finite"),
    ],
)
def test_a_gate_that_can_not_decide_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        gate(**fields)
