"""Calibration finds what was put in: a temperature, an error, a threshold."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.calibration import (
    best_threshold,
    calibrated_across_speakers,
    calibration_error,
    fitted_temperature,
    margins,
    tempered,
)


def drawn(temperature: float, rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and truths drawn from them at a temperature."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (rows, 4))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    honest = tempered(probabilities, temperature).cumsum(axis=1)
    return probabilities, (random.random((rows, 1)) > honest).sum(axis=1)


def test_a_temperature_is_the_softmax_of_the_divided_logits():
    logits = np.array([[2.0, 0.0, -1.0]])
    softmax = np.exp(logits) / np.exp(logits).sum()
    cooler = np.exp(logits / 2.5) / np.exp(logits / 2.5).sum()
    assert tempered(softmax, 2.5) == pytest.approx(cooler)
    assert tempered(softmax, 1.0) == pytest.approx(softmax)
    assert tempered(np.array([0.0, 1.0]), 3.0).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_drawn_truths_is_found_again(temperature):
    probabilities, truth = drawn(temperature)
    assert fitted_temperature(probabilities, truth) == pytest.approx(temperature, rel=0.1)


def test_the_calibration_error_is_of_confidence_against_hits():
    sure = np.tile([0.95, 0.05], (10, 1))
    assert calibration_error(sure, np.zeros(10, int)) == pytest.approx(0.05)
    assert calibration_error(sure, np.array([0] * 5 + [1] * 5)) == pytest.approx(0.45)
    # Gaps of two bins don't cancel: 0.95 is always right, 0.65 never.
    mixed = np.array([[0.95, 0.05], [0.65, 0.35]])
    assert calibration_error(mixed, np.array([0, 1])) == pytest.approx((0.05 + 0.65) / 2)
    assert calibration_error(np.array([[1.0, 0.0]]), np.array([0])) == 0


@pytest.mark.parametrize(
    ("wrong", "right", "error"), [(0.61, 0.65, 0.13), (0.69, 0.72, 0.485), (1.0, 0.95, 0.475)]
)
def test_two_confidences_share_one_of_ten_bins_or_do_not(wrong, right, error):
    rows = np.array([[wrong, 1 - wrong], [right, 1 - right]])
    assert calibration_error(rows, np.array([1, 0])) == pytest.approx(error)


def test_warming_up_mends_what_is_over_confident_on_speakers_not_seen():
    probabilities, truth = drawn(3.0)
    speakers = [f"s{row % 7}" for row in range(len(truth))]
    mended = calibrated_across_speakers(probabilities, truth, speakers)
    assert calibration_error(probabilities, truth) > 0.2
    assert calibration_error(mended, truth) < 0.05
    assert (mended.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    with pytest.raises(ValueError, match="n_splits"):
        calibrated_across_speakers(probabilities, truth, ["one"] * len(truth))


def test_a_margin_is_the_distance_to_the_likeliest_other():
    found = margins(np.array([[0.7, 0.2, 0.1], [0.4, 0.4, 0.2]]))
    assert found == pytest.approx(np.array([[0.5, -0.5, -0.6], [0.0, 0.0, -0.2]]))


def test_the_threshold_parts_right_from_wrong_as_well_as_can_be():
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.45, 0.55]])
    clean = best_threshold(scores[:2], np.array([0, 1]))
    assert (clean.at, clean.accepts_right, clean.accepts_wrong) == (0.8, 1.0, 0.0)
    mixed = best_threshold(scores, np.array([0, 1, 0]))
    assert mixed.accepts_right - mixed.accepts_wrong == pytest.approx(2 / 3)
    right = scores[[0, 1, 2], [0, 1, 0]]
    assert mixed.accepts_right == pytest.approx((right >= mixed.at).mean())


def test_a_limit_that_lets_every_right_one_in_is_no_good_where_the_wrong_ones_follow():
    scores = np.array([[0.9, 0.5], [0.4, 0.8], [0.3, 0.6]])
    found = best_threshold(scores, np.array([0, 1, 0]))
    assert (found.at, found.accepts_wrong) == (0.8, 0.0)
    assert found.accepts_right == pytest.approx(2 / 3)
