"""The interval of what was heard: over listeners as well as over sentences."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.listening.interval import recalls

MEANT = np.repeat(np.arange(3), 10)
SOURCES = np.arange(30).astype(str)


def heard_by(chance, seed=0):
    random = np.random.default_rng(seed)
    return np.where(random.random(len(MEANT)) < chance, MEANT, (MEANT + 1) % 3)


def together(*heard):
    count = len(heard)
    listener = np.repeat(np.arange(count), len(MEANT))
    return recalls(np.tile(MEANT, count), np.concatenate(heard), listener, np.tile(SOURCES, count))


def test_it_is_the_mean_recall_over_all_answers():
    meant, heard = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    ua, _ = recalls(meant, heard, np.array(["a", "b", "a", "a"]), np.array(list("wwxy")))
    assert ua == pytest.approx((2 / 3 + 1) / 2)


def test_listeners_who_differ_widen_it():
    _, alike = together(heard_by(0.6, 1), heard_by(0.6, 2), heard_by(0.6, 3))
    _, unlike = together(heard_by(0.2, 1), heard_by(0.6, 2), heard_by(1.0, 3))
    assert unlike[1] - unlike[0] > 1.5 * (alike[1] - alike[0])


def test_it_covers_the_recall_of_listeners_at_large():
    random = np.random.default_rng(0)
    covered = 0
    for seed in range(40):
        skills = np.clip(random.normal(0.6, 0.12, 3), 0, 1)
        _, (low, high) = together(*(heard_by(one, seed + 100 * n) for n, one in enumerate(skills)))
        covered += low <= 0.6 <= high
    assert covered >= 32


def test_of_one_listener_it_is_over_sentences_and_the_same_each_time():
    _, first = together(heard_by(0.6))
    assert together(heard_by(0.6))[1] == first
    assert 0 < first[0] < together(heard_by(0.6))[0] < first[1] < 1


def test_nothing_is_known_where_each_emotion_has_one_sentence():
    one = np.array([0, 1, 2])
    assert recalls(one, one, np.array(["a"] * 3), np.array(list("xyz"))) == (1, (0, 1))


def test_a_draw_that_lacks_an_emotion_is_drawn_again():
    meant = np.array([0, 0, 1, 1])
    ua, (low, high) = recalls(meant, meant, np.array(list("aabb")), np.array(list("wxyz")))
    assert (ua, low, high) == (1, 1, 1)
