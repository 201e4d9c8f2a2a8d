"""Baselines: what they say aloud."""

import warnings

import numpy as np

from model.baselines import Summaries, frames_and_mlp, readable
from model.inference import Embedded


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
