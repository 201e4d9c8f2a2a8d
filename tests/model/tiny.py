"""The smallest recipe that has every part, and a set of clips that it can learn from."""

from __future__ import annotations

import numpy as np
import torch

from model.recipe.training import TrainingRecipe
from pipeline.audio import encode_flac
from pipeline.dataset.shards import ShardWriter, kept_schema
from pipeline.whisper.checkpoint import save_checkpoint

WIDTH = 16

TINY = {
    "name": "tiny",
    "data": {"sets": [{"engine": "folder", "path": "set"}]},
    "encoder": {"engine": "random", "width": WIDTH, "heads": 2},
    "qformer": {"queries": 4, "layers": 1, "width": 16, "heads": 2},
    "language_model": {"engine": "tiny", "width": 16, "layers": 2, "heads": 2},
    "prompts": ["Hear {speech} Emotion:", "{speech} Feels:"],
    "labels": ["angry", "happy", "sad"],
    "shared_width": 8,
    "stages": [{"name": "align", "steps": 4, "batch_size": 4, "learning_rate": 1e-3}],
}

EVERYTHING = {
    "contrast": 0.5,
    "supervised_contrast": 0.5,
    "adversary": 0.1,
    "auxiliary": 0.5,
}
"""Every loss beside that of the word."""


def tiny_recipe(**changes) -> TrainingRecipe:
    return TrainingRecipe.model_validate({**TINY, **changes})


def write_llama(folder, **changes):
    """A random LLaMA of two layers over bytes, as `from_pretrained` finds it; the folder's name."""
    from transformers import ByT5Tokenizer, LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    config = LlamaConfig(vocab_size=259, num_attention_heads=2, **sizes, **changes)
    LlamaForCausalLM(config).save_pretrained(folder)
    ByT5Tokenizer(extra_ids=0).save_pretrained(folder)
    return str(folder)


def write_whisper(path):
    """A random Whisper of one layer as a checkpoint; its path."""
    from whisper.model import ModelDimensions, Whisper

    audio, text = (1500, WIDTH, 2, 1), (8, WIDTH, 2, 1)
    whisper = Whisper(ModelDimensions(80, *audio, 51865, *text))
    torch.nn.init.zeros_(whisper.decoder.positional_embedding)  # Whisper leaves it as it finds it
    save_checkpoint(path, whisper, "tokens")
    return str(path)


RATE = 16_000
PITCH_HZ = {"angry": 300, "happy": 600, "sad": 120}
LANGUAGES = ("en", "de")
SPEAKERS = ("anna", "bela")


def tone(emotion, language, speaker, number):
    """A noisy tone that its emotion gives the pitch and its speaker the length."""
    random = np.random.default_rng([number, len(speaker), LANGUAGES.index(language)])
    length = RATE // 4 + 800 * number + 1600 * SPEAKERS.index(speaker)
    wave = 0.3 * np.sin(2 * np.pi * PITCH_HZ[emotion] * np.arange(length) / RATE)
    return (wave + 0.01 * random.standard_normal(length)).astype(np.float32)


def rows(split, utterances=2):
    """Every emotion by every speaker in every language; sources differ between the splits."""
    for emotion in PITCH_HZ:
        for speaker in SPEAKERS:
            for number in range(utterances):
                for language in LANGUAGES:
                    source = f"{split}-{emotion}-{speaker}-{number}"
                    yield {
                        "take_id": f"{source}.{language}.1",
                        "source_id": source,
                        "emotion": emotion,
                        "language": language,
                        "speaker_id": speaker,
                        "corpus": "tones",
                        "is_synthetic": language != "en",
                        "audio": {
                            "bytes": encode_flac(tone(emotion, language, speaker, number), RATE),
                            "path": f"{source}.flac",
                        },
                    }


def write_set(folder, change=lambda row: row, splits=("train", "validation", "test")):
    """A dataset folder of tones; `change` may spoil rows, or leave one out by None."""
    schema = kept_schema([], RATE)
    for split in splits:
        for language in LANGUAGES:
            held = [change(row) for row in rows(split) if row["language"] == language]
            held = [row for row in held if row]
            path = folder / "data" / language / split
            with ShardWriter(path, schema, len(held), 8) as writer:
                for row in held:
                    writer.write(row)
    return folder
