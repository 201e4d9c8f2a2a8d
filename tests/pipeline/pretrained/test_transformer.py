"""Checkpoints that are damaged, of another kind, or hold more than tensors."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from pipeline.pretrained.named import ModelError
from pipeline.pretrained.transformer import open_model, open_tokenizer
from tests.checkpoints import text

CLASSIFIER = "AutoModelForSequenceClassification"


@pytest.fixture
def folder(tmp_path):
    return text.tiny_text_classifier(tmp_path / "classifier", ("joy", "anger"))


def test_a_model_comes_ready_to_run(folder):
    model = open_model(CLASSIFIER, folder, "cpu", "float32")
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_weights_that_a_checkpoint_lacks_are_not_made_up(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["classifier.out_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights.*classifier.out_proj.weight"):
        open_model(CLASSIFIER, folder, "cpu", "float32")


def test_damaged_weights_are_named(folder):
    (folder / "model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match=r"classifier' can't be opened.*damaged"):
        open_model(CLASSIFIER, folder, "cpu", "float32")


def test_another_architecture_is_named(folder):
    with pytest.raises(ModelError, match="another architecture"):
        open_model("AutoModelForSeq2SeqLM", folder, "cpu", "float32")


def test_no_tokenizer_is_named(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "m2m_100"}))
    with pytest.raises(ModelError, match="can't be opened as tokenizer"):
        open_tokenizer(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"version": "1.0", "model": 3}'])
def test_a_damaged_tokenizer_is_named(folder, content):
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError, match=r"classifier' can't be opened as tokenizer"):
        open_tokenizer(folder)


class Code:
    """A pickle that writes a file when it is read."""

    def __init__(self, written):
        self.written = written

    def __reduce__(self):
        return Path.touch, (self.written,)


def test_code_in_a_pickle_is_never_run(folder, tmp_path):
    import torch

    (folder / "model.safetensors").unlink()
    written = tmp_path / "written"
    torch.save({"weight": Code(written)}, folder / "pytorch_model.bin", pickle_module=pickle)
    with pytest.raises(ModelError, match="can't be opened"):
        open_model(CLASSIFIER, folder, "cpu", "float32")
    assert not written.exists()
