"""The measured prosody beside the frames: what it holds, and what stands for what can't be had."""

import numpy as np
import pytest
import torch

from model.data.load import load_clips
from model.evaluation.inference import predict
from model.network.encoder import load_encoder
from model.network.prosody import CHANNELS, prosody_channels
from model.network.qformer import FrameInput
from model.network.ser import make_model
from model.recipe.architecture import RandomEncoder
from pipeline.prosody.frames import BANDS
from pipeline.prosody.profile import SCALARS, measure
from tests.model.tiny import RATE, TINY, WIDTH, tiny_recipe, tone, write_set

MEASURED = {**TINY["encoder"], "prosody": True}


def test_the_channels_are_the_clips_profile():
    clip = tone("sad", "en", "anna", 1)
    channels = prosody_channels(clip)
    assert channels.shape == (CHANNELS,)
    wanted = measure(clip, RATE, None).f0_level_st
    assert channels[list(SCALARS).index("f0_level_st")] == pytest.approx(wanted, abs=1e-3)
    assert np.isfinite(channels[:-BANDS]).all()
    assert np.isnan(channels[-BANDS:]).all()  # a tone has no unvoiced sounds to be coloured


def test_unvoiced_sounds_have_a_colour():
    random = np.random.default_rng(0)
    hiss = 0.05 * random.standard_normal(RATE // 4).astype(np.float32)
    voiced = tone("sad", "en", "anna", 1)
    assert np.isfinite(prosody_channels(np.concatenate([voiced, hiss, voiced]))).all()


@pytest.mark.parametrize("clip", [np.zeros(RATE), np.full(400, 0.1)], ids=["silent", "too short"])
def test_what_has_no_pitch_has_no_prosody(clip):
    assert np.isnan(prosody_channels(clip.astype(np.float32))).all()


def test_every_frame_has_the_prosody_of_its_own_clip_beside_it():
    plain = load_encoder(RandomEncoder(width=WIDTH, heads=2))
    measured = load_encoder(RandomEncoder(width=WIDTH, heads=2, prosody=True))
    clips = [tone("sad", "en", "anna", 0), tone("happy", "de", "bela", 1)]
    assert measured.width == plain.width + CHANNELS
    assert measured.fingerprint != plain.fingerprint
    for clip, own, both in zip(clips, plain.encode(clips), measured.encode(clips), strict=True):
        np.testing.assert_array_equal(both[:, :WIDTH], own)
        wanted = np.tile(prosody_channels(clip).astype(np.float16), (len(own), 1))
        np.testing.assert_array_equal(both[:, WIDTH:], wanted)


def test_layers_are_mixed_and_the_prosody_is_not():
    mix = FrameInput(4 + 2, layers=2, beside=2)
    mix.fit(torch.tensor([0.0, 0, 0, 0, 5, 5]), torch.tensor([1.0, 1, 1, 1, 2, 2]))
    frames = torch.tensor([[[1.0, 2, 3, 4, 9, 5]]])
    assert mix(frames).tolist() == [[[2.0, 3.0, 2.0, 0.0]]]


def test_prosody_that_is_missing_counts_as_the_mean_and_a_broken_encoder_is_not_hidden():
    mix = FrameInput(2, layers=1, beside=1)
    mix.fit(torch.tensor([0.0, 30.0]), torch.tensor([1.0, 4.0]))
    found = mix(torch.tensor([[[1.0, torch.nan], [torch.nan, 34.0]]]))
    assert found[0, 0].tolist() == [1.0, 0.0]
    assert found[0, 1].isnan().tolist() == [True, False]


def test_a_model_with_prosody_learns_from_a_set_and_answers_for_silence(tmp_path):
    folder = write_set(tmp_path / "set")
    sets = {"sets": [{"engine": "folder", "path": str(folder)}]}
    recipe = tiny_recipe(encoder=MEASURED, data=sets)
    encoder = load_encoder(recipe.encoder)
    clips = load_clips(recipe.data, "train", recipe.labels, encoder, tmp_path / "cache")
    mean, deviation = clips.channel_statistics()
    assert torch.isfinite(mean).all() and torch.isfinite(deviation).all()
    model = make_model(recipe, encoder.width)
    model.qformer.input.fit(mean, deviation)
    found = predict(model, encoder, [np.zeros(RATE, np.float32)], recipe.labels, 30.0)
    assert np.isfinite(found).all()
