"""Metrics against scikit-learn's, and intervals that hold what they should."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from pipeline.metrics import confusion, measure, rates


def verdicts(count=200, classes=4, right=0.7, seed=0):
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, count)
    guess = random.integers(0, classes, count)
    return truth, np.where(random.random(count) < right, truth, guess)


def test_rates_are_those_of_scikit_learn():
    truth, said = verdicts()
    wa, ua, f1 = rates(confusion(truth, said, 4))
    assert wa == pytest.approx(accuracy_score(truth, said))
    assert ua == pytest.approx(balanced_accuracy_score(truth, said))
    assert f1 == pytest.approx(f1_score(truth, said, average="macro"))


def test_always_the_largest_class_has_the_ua_of_chance():
    truth = np.array([0] * 90 + [1] * 5 + [2] * 5)
    wa, ua, _ = rates(confusion(truth, np.zeros(100, int), 3))
    assert (wa, ua) == pytest.approx((0.9, 1 / 3))


def test_a_class_that_does_not_occur_counts_for_nothing():
    truth, said = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert rates(confusion(truth, said, 2)) == rates(confusion(truth, said, 5))


def test_intervals_hold_the_value_shrink_with_clips_and_repeat():
    few, many = (measure(*verdicts(count), 4, np.arange(count)) for count in (50, 2000))
    for one in (few, many):
        assert one.ua_interval[0] < one.ua < one.ua_interval[1]
    width = [one.ua_interval[1] - one.ua_interval[0] for one in (few, many)]
    assert width[1] < width[0] / 3
    assert few == measure(*verdicts(50), 4, np.arange(50))


def test_renditions_of_one_sentence_are_drawn_together():
    truth, said = (np.repeat(x, 6) for x in verdicts(50))
    alone = measure(truth, said, 4, np.arange(300))
    together = measure(truth, said, 4, np.repeat(np.arange(50), 6))
    few = measure(*verdicts(50), 4, np.arange(50))
    assert together.ua_interval == few.ua_interval
    assert np.ptp(alone.ua_interval) < np.ptp(together.ua_interval) / 2


def test_nothing_can_not_be_measured():
    with pytest.raises(ValueError, match="no verdicts"):
        rates(np.zeros((3, 3), int))


def test_no_draw_lacks_a_class():
    """One answer for everything has the recall of chance, whatever is drawn."""
    truth = np.repeat(np.arange(7), 12)
    sentences = np.repeat(np.arange(14), 6)
    found = measure(truth, np.zeros(84, int), 7, sentences)
    assert found.ua_interval == pytest.approx((1 / 7, 1 / 7))


def test_speakers_of_several_classes_are_drawn_until_all_classes_are_there():
    truth = np.tile(np.arange(3), 10)
    truth[:15] = 0
    said = np.where(truth == 2, 0, truth)
    found = measure(truth, said, 3, np.repeat(np.arange(10), 3))
    assert found.ua == pytest.approx(2 / 3)
    assert found.ua_interval == pytest.approx((2 / 3, 2 / 3))
    low, high = found.wa_interval
    assert low < found.wa < high


@pytest.mark.parametrize("clusters", [np.zeros(12, int), np.repeat(np.arange(4), 3)])
def test_where_nothing_else_can_be_drawn_nothing_is_known(clusters):
    truth, said = np.repeat(np.arange(4), 3), np.zeros(12, int)
    found = measure(truth, said, 4, clusters)
    assert found.ua_interval == found.wa_interval == found.f1_interval == (0.0, 1.0)
