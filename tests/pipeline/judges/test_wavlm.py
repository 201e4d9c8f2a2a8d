"""Voices are alike by the cosine of x-vectors: to the own voice, to others, to the source."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from transformers import WavLMForXVector

from pipeline.judges.waveforms import Hearing, load_network
from pipeline.judges.wavlm import WavlmSpeaker, x_vectors


@pytest.fixture(scope="module")
def judge(tiny_networks):
    return WavlmSpeaker(model=str(tiny_networks / "wavlm-speaker"))


@pytest.fixture(scope="module")
def embed(judge):
    """Unit x-vectors of clips."""
    model, extractor = load_network(judge, WavLMForXVector)
    hearing = Hearing(model, extractor, lambda one: x_vectors(model, **one), 1, 99.0)
    return lambda *clips: [vector / np.linalg.norm(vector) for vector in hearing(clips)]


def test_the_three_are_cosines_to_the_own_voice_to_the_likest_other_and_to_the_source(
    judge, embed, context, make_item
):
    first, second = context.voices.values()
    noise = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    three = replace(context, voices={**context.voices, "noise": noise})
    source = make_item("short").samples
    take, own, other, third, heard = embed(make_item().samples, first, second, noise, source)
    assert abs(take @ other - take @ third) > 1e-4  # voices differ, so that a mix-up would show
    scores, alone = judge.load(three)([make_item(source=source), make_item()])
    wanted = (take @ own, take @ own - max(take @ other, take @ third), take @ heard)
    assert tuple(scores.values()) == pytest.approx(wanted, abs=1e-5)
    assert scores["wavlm_cosine"] == pytest.approx(alone["wavlm_cosine"], abs=1e-5)


def test_a_single_voice_has_no_margin(judge, context, make_item, voices):
    lone = replace(context, voices={voices[0]: context.voices[voices[0]]})
    [scores] = judge.load(lone)([make_item()])
    assert math.isnan(scores["wavlm_margin"])
    assert math.isfinite(scores["wavlm_cosine"])
