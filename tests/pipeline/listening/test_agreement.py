"""Krippendorff's alpha against his own example and against what it has to be by definition."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.listening.agreement import krippendorff_alpha

_MISSING = 0
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)
"""Krippendorff 2011, section C: twelve units, four observers, five categories, 0 where missing."""


def counted(answers):
    classes = range(1, answers.max() + 1)
    return np.stack([(answers == one).sum(axis=0) for one in classes], axis=1)


def test_the_published_example():
    assert krippendorff_alpha(counted(OBSERVERS)) == pytest.approx(0.743, abs=5e-4)


def test_all_agree():
    assert krippendorff_alpha(np.array([[3, 0], [0, 3], [3, 0]])) == 1


def test_by_chance_it_is_near_zero():
    answers = np.random.default_rng(0).integers(1, 5, (5, 2000))
    assert abs(krippendorff_alpha(counted(answers))) < 0.02


def test_a_clip_with_one_answer_says_nothing():
    pairs = np.array([[2, 0], [1, 1], [0, 2]])
    lone = np.array([[1, 0], [0, 0]])
    assert krippendorff_alpha(np.concatenate([pairs, lone])) == krippendorff_alpha(pairs)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("counts", [[[1, 0], [0, 1]], [[3, 0], [2, 0]], [[0, 0]]])
def test_where_nothing_can_be_said_it_is_not_a_number(counts):
    assert np.isnan(krippendorff_alpha(np.array(counts)))
