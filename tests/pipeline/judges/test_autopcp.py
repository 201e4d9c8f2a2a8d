"""AutoPCP gives what its published way gives a pair of clips alone, and refuses what it is not."""

from __future__ import annotations

import math
import os
import shutil

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2Model

from pipeline.judges.autopcp import AutoPcp, _ratings
from pipeline.judges.base import JudgeContext
from pipeline.judges.comparator import comparator_sha256, load_comparator
from pipeline.pretrained.named import ModelError
from pipeline.records import Failure

CONTEXT = JudgeContext(("en",))


@pytest.fixture
def comparator(tiny_networks, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(tiny_networks / "autopcp", tmp_path / "autopcp")


def judge_of(networks, layer=1, **changes):
    fields = {"model": str(networks / "xlsr"), "comparator": str(networks / "autopcp")}
    return AutoPcp(**{**fields, "layer": layer, "allow_pickle": True, **changes})


def embedding(model, extractor, clip, layer):
    """The hidden state of a layer, averaged: as stopes makes it of a batch of one."""
    inputs = extractor(clip, sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        return model(**inputs, output_hidden_states=True).hidden_states[layer].mean(dim=1)[0]


def published_rating(folder, one, other):
    """The formula in float64: both orders of [a, b, ab, |a - b|] of unit vectors."""
    [file] = folder.glob("*.pt")
    weights = {name: w.double() for name, w in torch.load(file, weights_only=True).items()}

    def rate(a, b):
        joined = torch.cat([a, b, a * b, (a - b).abs()])
        hidden = torch.tanh(weights["mlp.1.weight"] @ joined + weights["mlp.1.bias"])
        return float(weights["mlp.4.weight"] @ hidden + weights["mlp.4.bias"])

    a, b = (x.double() / x.double().norm() for x in (one, other))
    return (rate(a, b) + rate(b, a)) / 2


@pytest.mark.parametrize("layer", [1, 2])
def test_a_batch_is_rated_as_the_published_way_rates_each_pair_alone(
    tiny_networks, make_item, layer
):
    kids, short = make_item("kids").samples, make_item("short").samples
    pairs = [(kids, short), (short, np.concatenate([kids, kids])), (kids, kids)]
    items = [make_item(samples=take, source=source) for take, source in pairs]
    found = judge_of(tiny_networks, layer).load(CONTEXT)(items)
    model = Wav2Vec2Model.from_pretrained(tiny_networks / "xlsr").eval()
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(tiny_networks / "xlsr")
    expected = [
        published_rating(
            tiny_networks / "autopcp",
            *(embedding(model, extractor, clip, layer) for clip in pair),
        )
        for pair in pairs
    ]
    assert np.ptp(expected) > 1e-3  # pairs differ, so that a mix-up would show
    assert [one["autopcp"] for one in found] == pytest.approx(expected, abs=1e-5)


def test_a_rating_does_not_depend_on_which_side_is_the_source(tiny_networks, make_item):
    kids, short = make_item("kids").samples, make_item("short").samples
    there, back = judge_of(tiny_networks).load(CONTEXT)(
        [make_item(samples=kids, source=short), make_item(samples=short, source=kids)]
    )
    assert there["autopcp"] == pytest.approx(back["autopcp"], abs=1e-6)


def test_a_source_that_is_too_short_leaves_the_score_open(tiny_networks, make_item):
    [found] = judge_of(tiny_networks).load(CONTEXT)([make_item(source=np.ones(8, np.float32))])
    assert not isinstance(found, Failure)
    assert math.isnan(found["autopcp"])


@pytest.fixture
def loud(tiny_networks, tmp_path):
    """Makes the networks with one channel of the first layer's output at a value of its own."""

    def write(value):
        networks = shutil.copytree(tiny_networks, tmp_path / "loud")
        weights = load_file(networks / "xlsr" / "model.safetensors")
        weights["encoder.layers.0.feed_forward.output_dense.bias"][0] = value
        save_file(weights, networks / "xlsr" / "model.safetensors", {"format": "pt"})
        return networks

    return write


def test_half_precision_rates_a_network_with_a_loud_channel(loud, make_item):
    kids, short = make_item("kids").samples, make_item("short").samples
    # Of 20 ms: 200 in each adds up beyond float16's 65504.
    items = [make_item(samples=np.tile(kids, 4), source=short)]
    networks = loud(200.0)
    [half] = judge_of(networks, dtype="float16").load(CONTEXT)(items)
    [full] = judge_of(networks).load(CONTEXT)(items)
    assert half["autopcp"] == pytest.approx(full["autopcp"], abs=0.01)


@pytest.mark.parametrize("with_source", [True, False])
def test_a_network_without_numbers_is_not_taken_for_no_source(loud, make_item, with_source):
    source = make_item("short").samples if with_source else None
    [found] = judge_of(loud(3e38)).load(CONTEXT)([make_item(source=source)])
    assert isinstance(found, Failure)
    assert "embedding that is not of numbers" in found.error


def test_a_source_without_numbers_fails_its_own_take_alone(tiny_networks):
    compare = load_comparator(tiny_networks / "autopcp", 32)
    take, broken = np.linspace(-1, 1, 32, dtype=np.float32), np.full(32, np.inf, np.float32)
    failed, rated, open_one = _ratings(compare, [take] * 3, [broken, take[::-1].copy(), None])
    assert isinstance(failed, Failure)
    assert math.isfinite(rated)
    assert math.isnan(open_one)


def test_pickles_are_read_only_if_the_recipe_allows_them(tiny_networks):
    with pytest.raises(ValidationError, match="allow_pickle: true to read numbers"):
        judge_of(tiny_networks, allow_pickle=False)


def test_a_layer_that_the_model_lacks_is_refused(tiny_networks):
    with pytest.raises(ModelError, match="layer: 3 is wanted, the model has 2"):
        judge_of(tiny_networks, 3).load(CONTEXT)


def test_a_comparator_is_pinned_by_its_files_and_not_by_its_place(tiny_networks, comparator):
    pinned = judge_of(tiny_networks).pinned()
    assert pinned.comparator_sha256 == comparator_sha256(str(comparator))
    moved = pinned.model_copy(update={"comparator": str(comparator)})
    assert moved.fingerprint() == pinned.fingerprint()
    [weights] = comparator.glob("*.pt")
    torch.save({}, weights)
    with pytest.raises(ModelError, match=r"comparator_sha256: .* get the pinned files"):
        moved.load(CONTEXT)
    other = judge_of(tiny_networks, comparator=str(comparator)).pinned()
    assert other.fingerprint() != pinned.fingerprint()


def test_a_folder_without_both_files_says_where_to_have_them(tiny_networks, tmp_path):
    with pytest.raises(ModelError, match=r"one \.config and the \.pt .* unpack https://"):
        judge_of(tiny_networks, comparator=str(tmp_path)).pinned()


class Payload:
    """A pickle that makes a folder when it is opened by a reader that trusts it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("pattern", ["*.config", "*.pt"])
def test_a_pickle_with_code_is_refused_and_not_run(comparator, tmp_path, pattern):
    [file] = comparator.glob(pattern)
    torch.save({"idim": Payload(str(tmp_path / "made"))}, file)
    with pytest.raises(ModelError, match="refused unread"):
        load_comparator(comparator, 32)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_form": "comet"}, "input_form"),
        ({"trainable_pooler": True}, "trainable_pooler"),
        ({"nhid": [10**12]}, "nhid"),
        ({"idim": 16}, "compares vectors of 16 numbers, the model's have 32"),
        ({"nhid": [60_000]}, "opened as a comparator of these settings"),
        ({"shell": "sh"}, "shell"),
    ],
)
def test_a_comparator_of_another_kind_is_refused(comparator, change, message):
    [file] = comparator.glob("*.config")
    torch.save({**torch.load(file, weights_only=True), **change}, file)
    with pytest.raises(ModelError, match=message):
        load_comparator(comparator, 32)


def test_a_weight_that_is_no_tensor_is_named(comparator):
    [file] = comparator.glob("*.pt")
    torch.save({**torch.load(file, weights_only=True), "mlp.4.bias": [0.5]}, file)
    with pytest.raises(ModelError, match=r"'mlp\.4\.bias' in '.*\.pt' is of the type list"):
        load_comparator(comparator, 32)


@pytest.mark.parametrize("content", [b"", b"not a pickle", "half"])
def test_a_damaged_comparator_is_refused_by_name(comparator, content):
    [file] = comparator.glob("*.pt")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    with pytest.raises(ModelError, match=r"i32\.o1\.dp0\.1\.pt"):
        load_comparator(comparator, 32)
