"""The watermark, with the real package and tiny random weights, which mark and can't detect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.audio import decode_flac, encode_flac
from pipeline.pretrained.named import ModelError
from pipeline.provenance.watermark import AudioSeal, Marker

builder = pytest.importorskip("audioseal.builder", reason="audioseal is not installed")
loader = pytest.importorskip("audioseal.loader")

SEANET: dict[str, Any] = {
    "activation": "ELU", "activation_params": {"alpha": 1.0}, "causal": False, "channels": 1,
    "compress": 2, "dilation_base": 2, "dimension": 8, "disable_norm_outer_blocks": 0,
    "kernel_size": 7, "last_kernel_size": 7, "lstm": 0, "n_filters": 2, "n_residual_layers": 1,
    "norm": "none", "norm_params": {}, "pad_mode": "constant", "ratios": [8, 5, 4, 2],
    "residual_kernel_size": 3, "true_skip": True,
}  # fmt: skip
DECODER = {"final_activation": None, "final_activation_params": None, "trim_right_ratio": 1.0}
CLIP = (0.3 * np.sin(np.arange(16_000) / 15)).astype("f4")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both networks in AudioSeal's own format, names included, drawn at random."""
    folder = tmp_path_factory.mktemp("audioseal")
    torch.manual_seed(0)
    for name, config, create, part in (
        ("generator_base", builder.AudioSealWMConfig, builder.create_generator, "decoder"),
        ("detector_base", builder.AudioSealDetectorConfig, builder.create_detector, "detector"),
    ):
        settings = {"seanet": dict(SEANET), part: DECODER if part == "decoder" else {}, "nbits": 16}
        parsed = loader.AudioSeal.parse_config(settings, config, nbits=16)
        weights = create(parsed).state_dict()
        old = {key.replace("inner_conv.", ""): value for key, value in weights.items()}
        state = {"xp.cfg": settings, "model": old}
        torch.save(state, folder / f"{name}.pth")
    return folder


@pytest.fixture
def marker(weights: Path) -> Marker:
    return AudioSeal(model=str(weights)).pinned().load()


def test_the_mark_is_in_the_samples_and_the_same_each_time(marker: Marker, weights: Path) -> None:
    marked = marker.mark(CLIP)
    assert marked.shape == CLIP.shape
    assert marked.dtype == np.float32
    assert not np.array_equal(marked, CLIP)
    assert np.abs(marked).max() <= 1.0
    np.testing.assert_array_equal(marked, AudioSeal(model=str(weights)).load().mark(CLIP))


def test_another_message_is_another_mark(marker: Marker, weights: Path) -> None:
    other = AudioSeal(model=str(weights), message=1).load()
    assert not np.array_equal(other.mark(CLIP), marker.mark(CLIP))


def test_a_mark_that_is_not_found_after_encoding_is_a_fault_in_words(weights: Path) -> None:
    strict = AudioSeal(model=str(weights), least_found=1.0).load()
    found = decode_flac(encode_flac(strict.mark(CLIP), 16_000))[0]
    assert "watermark.least_found is 100%" in (strict.fault(found) or "")


def test_a_message_that_is_read_otherwise_is_a_fault(weights: Path) -> None:
    lenient = AudioSeal(model=str(weights), least_found=0.0).load()
    _, read = lenient.detector.detect_watermark(torch.from_numpy(CLIP)[None, None], 16_000)
    said = int("".join(map(str, read[0].tolist())), 2)
    right = AudioSeal(model=str(weights), least_found=0.0, message=said).load()
    assert right.fault(CLIP) is None
    wrong = AudioSeal(model=str(weights), least_found=0.0, message=said ^ 1).load()
    assert wrong.fault(CLIP) == "watermark: 1 of 16 bits are read wrongly"


def test_other_weights_than_the_pinned_ones_are_refused(weights: Path, tmp_path: Path) -> None:
    pinned = AudioSeal(model=str(weights)).pinned()
    for file in weights.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes() + b" ")
    with pytest.raises(ModelError, match="SHA-256"):
        pinned.model_copy(update={"model": str(tmp_path)}).load()


@pytest.mark.parametrize("name", ["generator_base", "detector_base"])
def test_damaged_weights_are_a_sentence(weights: Path, tmp_path: Path, name: str) -> None:
    for file in weights.iterdir():
        content = file.read_bytes()
        short = content[: len(content) // 2] if file.stem == name else content
        (tmp_path / file.name).write_bytes(short)
    with pytest.raises(ModelError, match=rf"watermark\.model: .*{name}.* can't be opened"):
        AudioSeal(model=str(tmp_path)).load()
