from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import pickle
from pathlib import Path

import pytest
import torch
import whisper

from pipeline.whisper.checkpoint import (
    CheckpointError,
    checkpoint_sha256,
    load_checkpoint,
    pinned_sha256,
    save_checkpoint,
)
from tests.checkpoints.whisper import tiny_whisper, word_vocabulary


@pytest.fixture(scope="module")
def model():
    return tiny_whisper(end_after=8, words_only=True)


def write_pt(path, model, **dims):
    held = {
        "dims": {**dataclasses.asdict(model.dims), **dims},
        "model_state_dict": model.state_dict(),
    }
    torch.save(held, path)
    return path


@pytest.fixture
def pt(tmp_path, model):
    return write_pt(tmp_path / "tiny.pt", model)


def same_weights(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.allclose(a, b, rtol=1e-4) for a, b in pairs)


def test_openai_whispers_own_format_is_read(pt, model):
    checkpoint = load_checkpoint(str(pt))
    assert same_weights(checkpoint.model, model)
    assert same_weights(checkpoint.model, whisper.load_model(str(pt)))
    assert checkpoint.spelling == "tokens"
    assert not checkpoint.model.training


def test_safetensors_without_unused_rows_give_the_same_model(tmp_path, model):
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, model, "letters", word_vocabulary())
    checkpoint = load_checkpoint(str(path))
    assert same_weights(checkpoint.model, model)
    assert checkpoint.spelling == "letters"
    assert checkpoint.model.dims == model.dims
    full = tmp_path / "full.safetensors"
    save_checkpoint(full, model, "tokens")
    assert path.stat().st_size < full.stat().st_size


def test_an_unused_row_is_far_below_every_other_whatever_is_heard(model):
    hidden = model.decoder.ln(torch.randn(20, 32) * 5)
    logits = hidden @ model.decoder.token_embedding.weight.T
    unused = sorted(set(range(51865)) - set(word_vocabulary()))
    assert torch.allclose(logits[:, unused], torch.tensor(-100.0), atol=1e-2)


def test_the_hash_is_that_of_the_files(tmp_path, pt, model):
    assert checkpoint_sha256(pt) == hashlib.sha256(pt.read_bytes()).hexdigest()
    assert pinned_sha256(str(pt)) == load_checkpoint(str(pt)).sha256
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, model, "tokens")
    both = path.read_bytes() + path.with_suffix(".json").read_bytes()
    assert checkpoint_sha256(path) == hashlib.sha256(both).hexdigest()
    assert pinned_sha256("base").startswith("ed3a0b6b")


def test_other_weights_than_pinned_are_refused(pt):
    with pytest.raises(CheckpointError, match="the recipe pins 00000"):
        load_checkpoint(str(pt), sha256="0" * 64)


class Payload:
    """What an attacker would put into a checkpoint."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def plain_pickle(held, path):
    path.write_bytes(pickle.dumps(held, protocol=2))


@pytest.mark.parametrize("save", [torch.save, plain_pickle])
def test_a_pickle_payload_is_not_run(tmp_path, save):
    target = tmp_path / "executed"
    path = tmp_path / "evil.pt"
    save({"dims": {}, "model_state_dict": Payload(target)}, path)
    with pytest.raises(CheckpointError, match="refused"):
        load_checkpoint(str(path))
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half a zip"])
def test_a_corrupt_file_is_named(tmp_path, content):
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"broken\.pt"):
        load_checkpoint(str(path))


def test_a_truncated_checkpoint_is_refused(pt):
    pt.write_bytes(pt.read_bytes()[: pt.stat().st_size // 2])
    with pytest.raises(CheckpointError, match=r"tiny\.pt"):
        load_checkpoint(str(pt))


def test_a_truncated_safetensors_is_refused(tmp_path, model):
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, model, "tokens")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(str(path))


@pytest.mark.parametrize(
    "dims", [{"n_text_state": 64}, {"n_audio_layer": 3}, {"n_vocab": 51866}, {"n_mels": 128}]
)
def test_weights_of_other_dimensions_are_refused(tmp_path, model, dims):
    path = write_pt(tmp_path / "other.pt", model, **dims)
    with pytest.raises(CheckpointError, match="weights and stated dims differ"):
        load_checkpoint(str(path))


@pytest.mark.parametrize(
    ("dims", "said"),
    [
        ({"n_vocab": "many"}, "n_vocab is 'many', not a number from 1 up"),
        ({"n_text_layer": 2.0}, r"n_text_layer is 2\.0"),
        ({"n_text_head": 0}, "n_text_head is 0"),
        ({"n_text_head": 3}, "no multiple of its heads"),
        ({"n_vocab": 10**9}, "n_vocab is 1000000000; Whisper's are"),
        ({"n_mels": 40}, "n_mels is 40; Whisper's are"),
        ({"n_ears": 2}, "unexpected keyword argument 'n_ears'"),
    ],
)
def test_dimensions_that_no_whisper_has_are_named(tmp_path, model, dims, said):
    with pytest.raises(CheckpointError, match=said):
        load_checkpoint(str(write_pt(tmp_path / "odd.pt", model, **dims)))
    path = tmp_path / "odd.safetensors"
    save_checkpoint(path, model, "tokens", word_vocabulary())
    about = json.loads(path.with_suffix(".json").read_text())
    about["dims"] |= dims
    path.with_suffix(".json").write_text(json.dumps(about))
    with pytest.raises(CheckpointError, match=said):
        load_checkpoint(str(path))


@pytest.mark.parametrize("name", ["decoder.token_embedding.weight", "encoder.positional_embedding"])
def test_weights_that_are_no_numbers_are_refused(tmp_path, name):
    broken = tiny_whisper()
    with torch.no_grad():
        broken.state_dict()[name][0] = math.nan
    path = write_pt(tmp_path / "broken.pt", broken)
    with pytest.raises(CheckpointError, match=f"{name} is not of numbers"):
        load_checkpoint(str(path))


@pytest.mark.parametrize(
    "held", [{"weight": torch.zeros(3)}, torch.zeros(3), [1, 2]], ids=["other", "tensor", "list"]
)
def test_a_tensor_file_that_is_no_whisper_is_refused(tmp_path, held):
    path = tmp_path / "other.pt"
    torch.save(held, path)
    with pytest.raises(CheckpointError, match="not an openai-whisper checkpoint"):
        load_checkpoint(str(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spelling": "syllables"}, "spelling is 'syllables'"),
        ({"vocabulary": [1, 2, 3]}, "3 token ids for"),
        ({"vocabulary": 5}, "vocabulary is no list of tokens from 0 to 51864"),
        ({"vocabulary": ["x"]}, "vocabulary is no list of tokens"),
        ({"vocabulary": [-1]}, "vocabulary is no list of tokens"),
        ({"dims": None}, "dims: .* must be a mapping, not NoneType"),
        ({"dims": []}, "dims: .* must be a mapping, not list"),
    ],
)
def test_a_wrong_json_is_named(tmp_path, model, change, message):
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, model, "tokens")
    about = path.with_suffix(".json")
    about.write_text(json.dumps({**json.loads(about.read_text()), **change}))
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(str(path))


def test_safetensors_need_their_json(tmp_path, model):
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, model, "tokens")
    path.with_suffix(".json").unlink()
    with pytest.raises(CheckpointError, match=r"tiny\.json beside it"):
        load_checkpoint(str(path))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(CheckpointError, match="large-v3-turbo"):
        load_checkpoint("huge-v9")


def test_weights_that_cant_be_had_offline_say_what_to_do(tmp_path, monkeypatch):
    def unreachable(*_args, **_kwargs):
        raise OSError("no network")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(CheckpointError, match=r"no network.*put base\.pt there"):
        load_checkpoint("base")


def test_half_precision_is_of_the_matrices(pt):
    model = load_checkpoint(str(pt), dtype="bfloat16").model
    assert model.encoder.conv1.weight.dtype == torch.bfloat16
    assert model.encoder.ln_post.weight.dtype == torch.float32
