"""Tiny random networks that hear, in the real formats: classifiers, a regressor, x-vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FOUR = ("neu", "hap", "ang", "sad")
SEVEN = ("angry", "disgust", "fearful", "happy", "neutral", "sad", "surprised")
_SPEECH: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "conv_dim": (16, 16, 16),
    "conv_kernel": (10, 8, 4),
    "conv_stride": (5, 8, 4),
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "classifier_proj_size": 16,
}
_SPREAD, _HEAD_SPREAD = 3.0, 25.0
"""Random weights are this much larger than usual, so that outputs differ from clip to clip."""


def write(folder: Path) -> None:
    """Write one of each below a folder, under the name of what it is."""
    write_classifier(folder / "wav2vec2-emotion", "wav2vec2", SEVEN)
    write_classifier(folder / "hubert-emotion", "hubert", FOUR, norm="layer")
    write_classifier(folder / "wavlm-emotion", "wavlm", FOUR)
    write_whisper_classifier(folder / "whisper-emotion", SEVEN)
    write_regressor(folder / "dimensions")
    write_x_vectors(folder / "wavlm-speaker")
    write_autopcp(folder / "xlsr", folder / "autopcp")


def write_classifier(
    folder: Path, family: str, labels: tuple[str, ...], norm: str = "group"
) -> None:
    """A wav2vec 2.0, HuBERT or WavLM with a classifier; `norm` as in a base or a large model."""
    import transformers

    prefix = {"wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM"}[family]
    config = getattr(transformers, f"{prefix}Config")(**_speech(norm), **_labels(labels))
    _save(folder, getattr(transformers, f"{prefix}ForSequenceClassification"), config, norm)


def write_whisper_classifier(folder: Path, labels: tuple[str, ...]) -> None:
    """A Whisper encoder with a classifier, over windows of 30 s as all of them."""
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForAudioClassification,
    )

    config = WhisperConfig(
        d_model=32,
        encoder_layers=1,
        encoder_attention_heads=2,
        encoder_ffn_dim=48,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=48,
        num_mel_bins=80,
        classifier_proj_size=16,
        **_labels(labels),
    )
    _model(WhisperForAudioClassification, config).save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)


def write_regressor(folder: Path) -> None:
    """A wav2vec 2.0 with the head of arousal, dominance and valence, in the published order."""
    from transformers import Wav2Vec2Config

    from pipeline.judges.dimensions import regressor

    labels = _labels(("arousal", "dominance", "valence"))
    _save(folder, regressor(), Wav2Vec2Config(**_speech("layer"), **labels), "layer")


def write_x_vectors(folder: Path) -> None:
    """A WavLM of the base kind with an x-vector head."""
    from transformers import WavLMConfig, WavLMForXVector

    config = WavLMConfig(
        **_speech("group"),
        tdnn_dim=(24, 24, 24),
        tdnn_kernel=(5, 3, 1),
        tdnn_dilation=(1, 2, 1),
        xvector_output_dim=16,
    )
    _save(folder, WavLMForXVector, config, "group")


def write_autopcp(network: Path, comparator: Path) -> None:
    """A wav2vec 2.0 of the large kind, and a comparator of its vectors, in stopes' two files."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(**_speech("layer"))
    _save(network, Wav2Vec2Model, config, "layer")
    width, hidden, dropout = config.hidden_size, 8, 0.1
    settings = {
        "input_form": "qe", "dropout": dropout, "idim": width, "odim": 1, "nhid": [hidden],
        "activation": "TANH", "norm_emb": True, "output_act": False, "trainable_pooler": False,
    }  # fmt: skip
    layers = torch.nn.Sequential(
        torch.nn.Dropout(dropout), torch.nn.Linear(4 * width, hidden), torch.nn.Tanh(),
        torch.nn.Dropout(dropout), torch.nn.Linear(hidden, 1),
    )  # fmt: skip
    with torch.no_grad():
        layers[1].weight.mul_(_SPREAD)
    comparator.mkdir(parents=True)
    name = f"i{width}.o1.dp{dropout}"
    torch.save(settings, comparator / f"{name}.config")
    weights = {f"mlp.{key}": tensor for key, tensor in layers.state_dict().items()}
    torch.save(weights, comparator / f"{name}.pt")


def _speech(norm: str) -> dict[str, Any]:
    return {**_SPEECH, "feat_extract_norm": norm, "do_stable_layer_norm": norm == "layer"}


def _labels(labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: place for place, label in enumerate(labels)},
    }


def _save(folder: Path, architecture: Any, config: Any, norm: str) -> None:
    from transformers import Wav2Vec2FeatureExtractor

    _model(architecture, config).save_pretrained(folder)
    # Published models of the base size are without a mask of their own, those of the large with.
    extractor = Wav2Vec2FeatureExtractor(
        do_normalize=norm == "layer", return_attention_mask=norm == "layer"
    )
    extractor.save_pretrained(folder)


def _model(architecture: Any, config: Any) -> Any:
    import torch

    torch.manual_seed(0)
    model = architecture(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("classifier") and parameter.ndim > 1:
                parameter.mul_(_HEAD_SPREAD)
            elif parameter.ndim > 1 and "pos_conv" not in name and "embed_positions" not in name:
                parameter.mul_(_SPREAD)
    return model
