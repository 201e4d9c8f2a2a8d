"""A tiny dataset folder, as a build leaves it before its card is written."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import yaml

from pipeline.dataset.shards import kept_schema, rejects_schema
from pipeline.emotions import EMOTIONS, emotion_id

RATE = 16_000
LANGUAGES = ("en", "de")
NEUTRAL = {"f0_level_st": 20.0, "f0_range_st": 4.0, "energy_db": -25.0, "rate_phones_s": 10.0}
ASKED = {"f0_level_st": 24.0, "f0_range_st": 6.0, "energy_db": -19.0, "rate_phones_s": 9.0}
GOT = {"f0_level_st": 23.0, "f0_range_st": 5.0, "energy_db": -20.0, "rate_phones_s": 9.5}
"""Some of the numbers of prosody: of neutral speech, asked of every take, and had by it."""
SCORES = ("speech_share", "dnsmos_ovrl", "probe_probability", "prosody_distance", *GOT)
RECIPE: dict[str, Any] = {
    "name": "tiny",
    "seed": 0,
    "corpus": {"engine": "quickstart"},
    "languages": list(LANGUAGES),
    "translation": {"engine": "memory", "path": "builtin:quickstart"},
    "synthesis": {"engine": "espeak", "words_per_minute": 165},
    "prosody": {"from": "emotion", "strengths": [0.8, 1.0]},
    "takes": 2,
    "sampling_rate": RATE,
    "judges": [
        {"engine": "speech"},
        {"engine": "quality"},
        {"engine": "probe"},
        {"engine": "prosody"},
    ],
    "gates": {
        "speech": {"score": "speech_share", "min": 0.5, "languages": {}},
        "quality": {
            "score": "dnsmos_ovrl",
            "min_quantile": 0.1,
            "languages": {"de": {"min": 2.5}},
        },
        "emotion": {
            "at_least": 1,
            "votes": [
                {"score": "probe_probability", "min": 0.2, "languages": {}},
                {"score": "prosody_distance", "max": 1.5, "languages": {}},
            ],
        },
    },
    "selection": {
        "utility": {"probe_probability": 1.0},
        "takes_per_line": 1,
        "most_per_emotion": None,
    },
    "splits": {"train": 0.8, "validation": 0.1, "test": 0.1, "by": ["speaker", "text"], "seed": 0},
    "licence": None,
    "batch_size": 16,
    "shard_rows": 5000,
    "most_failed": 0.05,
}
BUILD: dict[str, Any] = {
    "m5ser": "0.1.0",
    "recipe": "tiny",
    "fingerprint": "ab" * 32,
    "clip_fingerprint": "cd" * 32,
    "read": {"utterances": 28, "dropped": {"calm": 3}, "failed": 1},
    "probe": {"uar": 0.55, "classes": list(EMOTIONS), "clips": 192, "speakers": 24},
    "components": {"espeak": "0.2.4", "world": "0.3.5"},
}
SCHEMA = kept_schema(SCORES, RATE)
REJECTED = rejects_schema(SCORES, RATE)
FAILURES = pa.schema(
    dict.fromkeys(("source_id", "take_id", "language", "stage", "error"), pa.string())
)
REASONS = ("speech", "quality", "emotion", "best_take", "duplicate")

Rows = list[dict[str, Any]]
MakeFolder = Callable[..., Path]


def clip(frequency_hz: float, duration_s: float = 0.5) -> bytes:
    """A buzz of ten harmonics as FLAC."""
    times_s = np.arange(int(duration_s * RATE)) / RATE
    waves = [np.sin(2 * np.pi * k * frequency_hz * times_s) / k for k in range(1, 11)]
    file = io.BytesIO()
    soundfile.write(file, 0.2 * np.sum(waves, axis=0), RATE, format="FLAC")
    return file.getvalue()


def tiny_kept_rows() -> Rows:
    """Two sentences of each emotion in each language, of one speaker each."""
    return [
        take(number, language, emotion)
        for language in LANGUAGES
        for emotion in EMOTIONS
        for number in (1, 2)
    ]


def take(number: int, language: str, emotion: str) -> dict[str, Any]:
    """A row of a kept shard."""
    place = emotion_id(emotion) * 2 + number  # type: ignore[arg-type]
    source_id = f"s-{emotion}-{number}"
    return {
        "take_id": f"{source_id}-{language}-0",
        "source_id": source_id,
        "text": f"Satz {place} ({language})",
        "source_text": f"Sentence {place}",
        "language": language,
        "emotion": emotion,
        "emotion_id": emotion_id(emotion),  # type: ignore[arg-type]
        "speaker_id": f"speaker-{number}",
        "gender": ("female", "male")[number - 1],
        "voice": f"f{number}-p+0.0-v1.00",
        "corpus": "quickstart",
        "audio": {"bytes": clip(90.0 + 10 * place), "path": f"{source_id}.flac"},
        "sampling_rate": RATE,
        "duration_s": 0.5,
        "is_synthetic": True,
        "synthesizer": "espeak",
        "translator": "memory",
        "seed": place,
        "strength": 0.8,
        "neutral_from": "published",
        "licence": "Apache-2.0",
        "scores": {
            "speech_share": 0.9,
            "dnsmos_ovrl": 2.6 + place / 20,
            "probe_probability": 0.3 + place / 40,
            "prosody_distance": math.nan if emotion == "neutral" else 0.5 + place / 20,
            **GOT,
        },
        "prosody_neutral": NEUTRAL,
        "prosody_target": ASKED,
    }


def tiny_rejected_rows() -> Rows:
    """One rejected take of each emotion in each language; the reasons go in turn."""
    rows = []
    for language in LANGUAGES:
        for emotion in EMOTIONS:
            reason = REASONS[len(rows) % len(REASONS)]
            row = take(1, language, emotion)
            row["take_id"] = row["take_id"].removesuffix("0") + "1"
            row["scores"] = {**row["scores"], "dnsmos_ovrl": 2.1, "probe_probability": 0.1}
            rows.append(
                {
                    **row,
                    "split": "train",
                    "reason": reason,
                    "score": math.nan if reason == "emotion" else 0.25,
                    "threshold": 0.5,
                    "failed_gates": [reason],
                }
            )
    return rows


def failure_rows() -> Rows:
    """One failure of reading and one of synthesis."""
    return [
        {"source_id": "s-cut", "stage": "read", "error": "cut.wav: the file is truncated"},
        {
            "source_id": "s-sad-1",
            "take_id": "s-sad-1-de-1",
            "language": "de",
            "stage": "synthesize",
            "error": "espeak-ng crashed (wait status 11)",
        },
    ]


def write_dataset_folder(
    folder: Path,
    kept: Rows | None = None,
    rejected: Rows | None = None,
    failures: Rows | None = None,
    recipe: dict[str, Any] | None = None,
    build: dict[str, Any] | None = None,
) -> Path:
    """Write the folder; what is not given is the tiny default. Speaker 2 is the test split."""
    kept = tiny_kept_rows() if kept is None else kept
    rejected = tiny_rejected_rows() if rejected is None else rejected
    for language in LANGUAGES:
        for split, speaker in (("train", "speaker-1"), ("test", "speaker-2")):
            rows = [r for r in kept if (r["language"], r["speaker_id"]) == (language, speaker)]
            _write(folder / f"data/{language}/{split}-00000-of-00001.parquet", rows, SCHEMA)
        rows = [r for r in rejected if r["language"] == language]
        _write(folder / f"rejects/{language}/rejects-00000-of-00001.parquet", rows, REJECTED)
    folder.mkdir(exist_ok=True)
    failed = failure_rows() if failures is None else failures
    pq.write_table(pa.Table.from_pylist(failed, schema=FAILURES), folder / "failures.parquet")
    text = yaml.safe_dump({**RECIPE, **(recipe or {})}, sort_keys=False, allow_unicode=True)
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    (folder / "build.json").write_text(json.dumps({**BUILD, **(build or {})}), encoding="utf-8")
    return folder


def _write(path: Path, rows: Rows, schema: pa.Schema) -> None:
    if rows:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


@pytest.fixture
def make_dataset_folder(tmp_path: Path) -> MakeFolder:
    """Writes a dataset folder whose rows, recipe or build differ from the tiny one's."""

    def make(name: str = "tiny", **parts: Any) -> Path:
        return write_dataset_folder(tmp_path / name, **parts)

    return make


@pytest.fixture
def dataset_folder(make_dataset_folder: MakeFolder) -> Path:
    """The tiny dataset folder: 28 kept takes, 14 rejected, 2 failures."""
    return make_dataset_folder()


@pytest.fixture
def kept_rows() -> Rows:
    """The kept rows of the tiny folder, to be changed and given to `make_dataset_folder`."""
    return tiny_kept_rows()


@pytest.fixture
def rejected_rows() -> Rows:
    """The rejected rows of the tiny folder."""
    return tiny_rejected_rows()
