"""Baselines: what they say aloud."""

import warnings

import numpy as np
import pytest

from model.evaluation.baselines import Readable, Summaries, frames_and_mlp, readable
from model.evaluation.inference import Embedded


def test_fits_that_take_all_their_steps_keep_quiet():
    random = np.random.default_rng(0)
    count = 80
    words = np.array(["a", "b", "c", "d"])[random.integers(0, 4, count)]
    clips = Summaries(random.normal(size=(count, 3)), random.integers(0, 4, count), words)
    names = np.arange(count).astype(str)
    far = random.normal(size=(count, 3)) ** 9
    embedded = Embedded({"align": far}, words, words, words, names, names == "0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = frames_and_mlp(clips, clips)
        found = readable(embedded)
    assert said.shape == (count,)
    assert set(found["align"]) == {"language", "speaker"}


@pytest.mark.parametrize("speakers", [list("abcde") * 5, list("baaaa") * 5])
def test_a_speaker_who_returns_with_every_fifth_clip_is_read_as_any_other(speakers):
    """Dealt out one by one, all clips of a speaker would be in one fold."""
    names = np.array(speakers)
    random = np.random.default_rng(0)
    far = np.array([10.0 * (names == one) for one in "abcde"]).T
    near = far + random.normal(size=far.shape)
    words, clips = names == "", np.char.add("clip-", np.arange(10, 35).astype(str))
    embedded = Embedded({"align": near}, words, np.array(["en"] * 25), names, clips, words)
    expected = Readable(1.0, chance=1 / len(set(speakers)))
    assert readable(embedded) == {"align": {"speaker": expected}}
