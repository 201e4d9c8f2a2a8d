"""What emotions do to spectrum and intonation, against what papers say of them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.emotions import EMOTIONS, Emotion
from pipeline.prosody.curves import Curves, curves
from pipeline.prosody.frames import BANDS, band_centres_hz
from pipeline.prosody.profile import POINTS, tilt_db_oct
from pipeline.prosody.target import from_emotion


def tilt(emotion: Emotion) -> float:
    return tilt_db_oct(np.array(curves()[emotion].voiced_bands_db))


def test_every_emotion_has_curves_and_those_of_neutral_are_flat() -> None:
    assert set(curves()) == set(EMOTIONS)
    assert curves()["neutral"] == Curves()
    for emotion, own in curves().items():
        assert len(own.f0_contour_st) == POINTS
        assert len(own.voiced_bands_db) == len(own.unvoiced_bands_db) == BANDS
        assert any(own.voiced_bands_db) == (emotion != "neutral")


def test_what_tells_of_effort_brightens_the_voice_and_sadness_does_not() -> None:
    """Banse and Scherer 1996: bright anger; Juslin and Laukka 2003, Table 11: dull sadness."""
    assert tilt("angry") > tilt("fearful") > tilt("happy") > 0 > tilt("sad")


def test_anger_is_strongest_where_the_ear_is() -> None:
    """More at 2 to 4 kHz than below 500 Hz, as loud voices are (Sundberg and Nordenberg 2006)."""
    hz, angry = band_centres_hz(), np.array(curves()["angry"].voiced_bands_db)
    assert angry[(hz > 2000) & (hz < 4000)].mean() > angry[hz < 500].mean() + 3


def test_sadness_lets_more_breath_through_than_any_other() -> None:
    """Cahn 1990, as in Table 1 of Schroeder 2001: sadness is breathy."""
    unvoiced = {emotion: np.mean(own.unvoiced_bands_db) for emotion, own in curves().items()}
    assert max(unvoiced, key=lambda emotion: unvoiced[emotion]) == "sad"


def test_surprise_goes_up_further_than_any_other_and_comes_down_again() -> None:
    """Murray and Arnott 1993, Table I: it glides up in the stressed syllable and falls."""
    peaks = {emotion: max(own.f0_contour_st) for emotion, own in curves().items()}
    assert max(peaks, key=lambda emotion: peaks[emotion]) == "surprised"
    surprised = np.array(curves()["surprised"].f0_contour_st)
    assert surprised.argmax() > POINTS // 2
    assert surprised[-1] < surprised.max() - 1


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_target_moves_about_the_curves(emotion: Emotion) -> None:
    targets = [from_emotion(emotion, seed) for seed in range(60)]
    bands = np.mean([target.voiced_bands_db for target in targets], axis=0)
    assert bands == pytest.approx(np.array(curves()[emotion].voiced_bands_db), abs=0.6)
    for target in targets:
        assert target.tilt_db_oct == pytest.approx(tilt_db_oct(np.array(target.voiced_bands_db)))
