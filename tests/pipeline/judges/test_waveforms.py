"""Padded batches give what transformers gives each clip alone, and its own batches do not."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, WavLMForXVector

from pipeline.judges.autopcp import AutoPcp
from pipeline.judges.base import JudgeContext
from pipeline.judges.dimensions import Dimensions, regressor
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.waveforms import Hearing, load_network, mean_frame, shortest_clip
from pipeline.judges.wavlm import WavlmSpeaker, x_vectors
from pipeline.pretrained.named import ModelError
from pipeline.records import Failure

FAMILIES = ("wav2vec2-emotion", "hubert-emotion", "wavlm-emotion", "whisper-emotion")


@pytest.fixture(scope="module")
def clips(make_item) -> list[np.ndarray]:
    """Speech of very different lengths."""
    kids, short = make_item("kids").samples, make_item("short").samples
    return [short, np.concatenate([kids, kids]), kids, short[:6000]]


def settings(folder, labels=("a", "b")) -> SpeechEmotion:
    return SpeechEmotion(model=str(folder), labels=dict.fromkeys(labels, None))


def hearing_of(folder, batch_s=1000.0) -> Hearing:
    model, extractor = load_network(settings(folder), AutoModelForAudioClassification)
    return Hearing(model, extractor, lambda one: model(**one).logits, shortest_clip(model), batch_s)


def alone(model, extractor, clip, output="logits"):
    with torch.no_grad():
        found = model(**extractor(clip, sampling_rate=16_000, return_tensors="pt"))
    return getattr(found, output)[0].numpy()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_batch_gives_what_transformers_gives_each_clip_alone(tiny_networks, clips, name):
    own = AutoModelForAudioClassification.from_pretrained(tiny_networks / name).eval()
    extractor = AutoFeatureExtractor.from_pretrained(tiny_networks / name)
    expected = np.stack([alone(own, extractor, clip) for clip in clips])
    assert np.ptp(expected, axis=0).max() > 0.02  # clips differ, so that a mix-up would show
    for batch_s in (1000.0, 1.0):
        found = np.stack(hearing_of(tiny_networks / name, batch_s)(clips))
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["wav2vec2-emotion", "wavlm-emotion"])
def test_transformers_own_batch_hears_the_padding(tiny_networks, clips, name):
    """Why `MaskedGroupNorm` is needed; when this fails, it can go."""
    own = AutoModelForAudioClassification.from_pretrained(tiny_networks / name).eval()
    extractor = AutoFeatureExtractor.from_pretrained(tiny_networks / name)
    inputs = extractor(clips, sampling_rate=16_000, return_tensors="pt", padding=True)
    with torch.no_grad():
        batched = own(**inputs).logits.numpy()
    expected = np.stack([alone(own, extractor, clip) for clip in clips])
    assert np.abs(batched - expected).max() > 0.02


def test_x_vectors_of_a_batch_are_those_of_each_clip_alone(tiny_networks, clips):
    folder = tiny_networks / "wavlm-speaker"
    own = WavLMForXVector.from_pretrained(folder).eval()
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    expected = np.stack([alone(own, extractor, clip, "embeddings") for clip in clips])
    model, prepared = load_network(WavlmSpeaker(model=str(folder)), WavLMForXVector)
    hearing = Hearing(model, prepared, lambda one: x_vectors(model, **one), 1, 1000.0)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(np.stack(hearing(clips)), expected, atol=1e-5 * scale)


def test_the_regressor_takes_the_mean_over_a_clips_own_frames(tiny_networks, clips):
    folder = tiny_networks / "dimensions"
    model, extractor = load_network(Dimensions(model=str(folder)), regressor())
    found = np.stack(Hearing(model, extractor, lambda one: model(**one), 1, 1000.0)(clips))
    for clip, ours in zip(clips, found, strict=True):
        inputs = extractor(clip, sampling_rate=16_000, return_tensors="pt").input_values
        with torch.no_grad():
            pooled = model.wav2vec2(inputs).last_hidden_state.mean(dim=1)
            published = model.classifier.out_proj(torch.tanh(model.classifier.dense(pooled)))
        np.testing.assert_allclose(ours, published[0].numpy(), atol=1e-5)


def test_a_mean_of_large_frames_is_in_the_range_of_half_precision(tiny_networks):
    model, _ = load_network(Dimensions(model=str(tiny_networks / "dimensions")), regressor())
    mask = torch.zeros(2, shortest_clip(model, 500), dtype=torch.long)
    mask[0] = mask[1, : shortest_clip(model, 7)] = 1
    frames = torch.full((2, 500, 3), 200.0, dtype=torch.float16)
    frames[1, 7:] = 9.0  # behind the second clip's end
    mean = mean_frame(model, frames, mask)
    assert mean.dtype == torch.float16
    assert mean.tolist() == [[200.0] * 3] * 2


@pytest.mark.parametrize("name", FAMILIES[:3])
def test_the_shortest_clip_is_heard_and_a_shorter_one_fails_alone(tiny_networks, clips, name):
    hearing = hearing_of(tiny_networks / name)
    shortest = hearing.shortest
    found = hearing([clips[0], clips[0][: shortest - 1], clips[0][:shortest]])
    assert isinstance(found[1], Failure)
    assert "this network needs" in found[1].error
    assert np.isfinite(found[0]).all()
    assert np.isfinite(found[2]).all()


def test_what_is_longer_than_a_window_fails_alone(tiny_networks, clips):
    hearing = hearing_of(tiny_networks / "whisper-emotion")
    long, short = hearing([np.tile(clips[1], 8), clips[1]])
    assert isinstance(long, Failure)
    assert "this network hears 30 s" in long.error
    assert np.isfinite(short).all()


def test_a_batch_that_memory_has_no_room_for_is_halved(tiny_networks, clips):
    model, extractor = load_network(
        settings(tiny_networks / "hubert-emotion"), AutoModelForAudioClassification
    )

    def cramped(inputs):
        if len(inputs["input_values"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return model(**inputs).logits

    found = Hearing(model, extractor, cramped, 1, 1000.0)(clips)
    expected = hearing_of(tiny_networks / "hubert-emotion")(clips)
    np.testing.assert_allclose(np.stack(found), np.stack(expected), atol=1e-5)


def change(folder, into, **fields):
    """A copy of a checkpoint with other fields in its config."""
    shutil.copytree(folder, into)
    config = json.loads((into / "config.json").read_text())
    (into / "config.json").write_text(json.dumps({**config, **fields}))
    return into


def test_labels_that_are_not_the_models_are_refused_with_both_sets(tiny_networks):
    judge = settings(tiny_networks / "hubert-emotion", ("ang", "joy"))
    with pytest.raises(
        ModelError, match=r"model's are ang, hap, neu, sad; the recipe maps ang, joy"
    ):
        judge.load(JudgeContext(("en",)))


def test_a_checkpoint_without_a_classifier_is_refused(tiny_networks, tmp_path):
    folder = change(tiny_networks / "hubert-emotion", tmp_path / "bare")
    weights = load_file(folder / "model.safetensors")
    kept = {name: w for name, w in weights.items() if not name.startswith("classifier")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 2 weights of a Hubert.*classifier\.bias"):
        hearing_of(folder)


def test_a_family_that_is_not_known_to_be_exact_is_refused(tiny_networks, tmp_path):
    folder = change(tiny_networks / "hubert-emotion", tmp_path / "sew", model_type="sew")
    with pytest.raises(ModelError, match="family 'sew'.*name a model of one of these"):
        hearing_of(folder)


def test_a_network_of_another_rate_is_refused(tiny_networks, tmp_path):
    folder = tmp_path / "narrow"
    shutil.copytree(tiny_networks / "hubert-emotion", folder)
    prepared = json.loads((folder / "preprocessor_config.json").read_text())
    text = json.dumps({**prepared, "sampling_rate": 8000})
    (folder / "preprocessor_config.json").write_text(text)
    with pytest.raises(ModelError, match="hears 8000 Hz"):
        hearing_of(folder)


def test_a_regressor_of_other_dimensions_is_refused(tiny_networks, tmp_path):
    labels = {"0": "arousal", "1": "power", "2": "valence"}
    folder = change(tiny_networks / "dimensions", tmp_path / "other", id2label=labels)
    with pytest.raises(ModelError, match="arousal, power, valence"):
        Dimensions(model=str(folder)).load(JudgeContext(("en",)))


HEAR_SOURCES = {
    "dimensions": lambda at: Dimensions(model=str(at / "dimensions")),
    "wavlm": lambda at: WavlmSpeaker(model=str(at / "wavlm-speaker")),
    "autopcp": lambda at: AutoPcp(
        model=str(at / "xlsr"), layer=1, comparator=str(at / "autopcp"), allow_pickle=True
    ),
}
each_hears_sources = pytest.mark.parametrize("judge", HEAR_SOURCES)


@pytest.fixture
def unwell(monkeypatch):
    """Lets every network give what `made` says of the clips of one length."""

    def make(samples: int, made):
        plain = Hearing._run

        def run(hearing, clips):
            found = plain(hearing, clips)
            return [
                made(vector) if len(clip) == samples else vector
                for clip, vector in zip(clips, found, strict=True)
            ]

        monkeypatch.setattr(Hearing, "_run", run)

    return make


def no_room(_vector):
    raise MemoryError("no room")


@each_hears_sources
@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda vector: np.full_like(vector, np.nan), "its source recording: .*not of numbers"),
        (no_room, "its source recording: out of memory on this row alone"),
    ],
    ids=["not-of-numbers", "no-room"],
)
def test_a_source_that_a_network_makes_nothing_of_is_not_taken_for_none(
    tiny_networks, context, make_item, unwell, judge, made, said
):
    source = make_item("kids").samples[:10_001]
    items = [make_item(source=source), make_item(source=None), make_item("short")]
    scored = HEAR_SOURCES[judge](tiny_networks).load(context)
    before = scored(items)
    unwell(10_001, made)
    failed, *others = scored(items)
    assert isinstance(failed, Failure)
    assert re.match(said, failed.error)
    assert [list(one) for one in others] == [list(one) for one in before[1:]]
    assert np.isnan(others[0][list(others[0])[-1]])


def test_a_voice_without_numbers_is_refused_when_the_judge_is_loaded(
    tiny_networks, context, unwell
):
    first, *_ = context.voices.values()
    unwell(len(first), lambda vector: np.full_like(vector, np.inf))
    with pytest.raises(ModelError, match="not of numbers for the clip of voice"):
        HEAR_SOURCES["wavlm"](tiny_networks).load(context)


def test_a_take_of_a_voice_without_a_clip_is_a_failure(tiny_networks, context, make_item):
    [found] = HEAR_SOURCES["wavlm"](tiny_networks).load(context)(
        [replace(make_item(), voice="nobody")]
    )
    assert found == Failure("judge", "voice 'nobody' has no reference clip to compare with")
