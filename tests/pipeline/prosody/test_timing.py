"""Which frame of a rendition each frame of a take is, on frames whose speech is known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.prosody.frames import Frames
from pipeline.prosody.timing import END_S, pauses, time_map

HOP_S = 0.005
MARGIN = round(END_S / HOP_S)


def frames(
    active: np.ndarray, voiced: np.ndarray | None = None, quietest: int | None = None
) -> Frames:
    """Frames that are voiced where told, else wherever they are active."""
    f0_hz = np.where(active if voiced is None else voiced, 150.0, 0.0)
    energy_db = np.where(active, -30.0, -80.0)
    if quietest is not None:
        energy_db[quietest] = -50.0
    nothing = np.zeros(len(active))
    return Frames(HOP_S, f0_hz, nothing, nothing, energy_db, active, np.ones((len(active), 513)))


def between(count: int, *spans: tuple[int, int]) -> np.ndarray:
    """So many frames, true within the spans."""
    where = np.zeros(count, dtype=bool)
    for start, end in spans:
        where[start:end] = True
    return where


def test_a_pause_is_0_15_s_or_longer_and_lies_within_the_speech() -> None:
    active = between(60, (10, 12), (27, 28), (42, 50))
    assert np.flatnonzero(pauses(active, 0.01)).tolist() == list(range(12, 27))
    assert np.flatnonzero(pauses(active, 0.011)).tolist() == [*range(12, 27), *range(28, 42)]
    click = between(60, (10, 12), (27, 28))  # a single frame of speech ends the pause too
    assert np.flatnonzero(pauses(click, 0.01)).tolist() == list(range(12, 27))
    assert not pauses(between(60, (20, 30)), 0.01).any()


def test_a_take_that_is_to_stay_as_it_is_takes_frame_by_frame_and_the_rest_around() -> None:
    at, silent = time_map(frames(between(300, (20, 260))), 1.0, 0.0, 0.0)
    assert at.tolist() == list(range(20 - MARGIN, 260 + MARGIN))
    assert not silent.any()


def test_beyond_the_ends_of_the_rendition_is_silence() -> None:
    at, silent = time_map(frames(between(245, (5, 240))), 1.0, 0.0, 0.0)
    assert np.flatnonzero(silent).tolist() == [*range(7), *range(len(at) - 7, len(at))]
    assert (at.min(), at.max()) == (0, 244)


@pytest.mark.parametrize(("asked", "given"), [(1.25, 1.25), (0.8, 0.8), (9.0, 2.0), (0.1, 0.5)])
def test_speech_is_so_many_times_faster_from_its_first_to_its_last_frame(
    asked: float, given: float
) -> None:
    at, silent = time_map(frames(between(300, (20, 260))), asked, 0.0, 0.0)
    speech = at[MARGIN:-MARGIN]
    assert len(speech) == round(240 / given)
    assert (np.diff(speech) >= 0).all()
    assert np.median(np.diff(speech)) == pytest.approx(given, rel=0.01)
    assert (speech[0], speech[-1]) == pytest.approx((20, 259), abs=1)
    assert not silent.any()


def paused_share(of: Frames, rate_ratio: float, more_pause: float) -> float:
    _, silent = time_map(of, rate_ratio, more_pause, 0.0)
    return float(silent[MARGIN:-MARGIN].mean())


@pytest.mark.parametrize("rate_ratio", [0.7, 1.0, 1.5])
@pytest.mark.parametrize(("more", "share"), [(0.1, 0.3), (-0.1, 0.1), (0.0, 0.2), (0.9, 0.4)])
def test_a_pause_that_is_there_gets_its_share_at_any_rate(
    rate_ratio: float, more: float, share: float
) -> None:
    speech = frames(between(300, (20, 180), (228, 260)))
    assert paused_share(speech, rate_ratio, more) == pytest.approx(share, abs=0.01)


def test_a_pause_is_never_shortened_to_nothing() -> None:
    _, silent = time_map(frames(between(300, (20, 180), (220, 260))), 1.0, -1.0, 0.0)
    assert silent.sum() == 1


def test_a_new_pause_comes_at_the_quietest_place_of_the_middle() -> None:
    speech = frames(between(300, (20, 260)), quietest=80)
    speech.energy_db[[79, 200]] = -70.0  # of the first and of the last quarter
    at, silent = time_map(speech, 1.0, 0.2, 0.0)
    assert silent[MARGIN:-MARGIN].mean() == pytest.approx(0.2, abs=0.01)
    assert set(at[silent]) == {80}
    assert paused_share(speech, 1.0, 0.05) == 0.0, "it would be shorter than 0.15 s"


@pytest.mark.parametrize("more", [0.1, -0.2])
def test_voiced_speech_takes_its_share_from_the_unvoiced_and_all_lasts_as_long(more: float) -> None:
    voiced = between(300, (20, 170), (220, 260))
    at, _ = time_map(frames(between(300, (20, 260)), voiced), 1.0, 0.0, more)
    speech = np.round(at[MARGIN:-MARGIN]).astype(int)
    assert len(speech) == 240
    assert voiced[speech].mean() == pytest.approx(190 / 240 + more, abs=0.01)


def test_no_sound_is_stretched_more_than_two_and_a_half_times() -> None:
    voiced = between(300, (20, 240))
    at, _ = time_map(frames(between(300, (20, 260)), voiced), 1.0, 0.0, -0.9)
    speech = np.round(at[MARGIN:-MARGIN]).astype(int)
    assert len(speech) == 240
    assert voiced[speech].mean() == pytest.approx(220 / 2.5 / (220 / 2.5 + 20 * 2.5), abs=0.02)
