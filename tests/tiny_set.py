"""A dataset folder of a few tones, complete as a build leaves it, without the work of a build."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

from pipeline.cards.card import write_card
from pipeline.dataset.credentials import write_credentials
from pipeline.dataset.manifest import write_manifest
from pipeline.dataset.prosody import PROSODY
from pipeline.dataset.shards import ShardWriter, kept_schema, rejects_schema, write_failures
from pipeline.emotions import emotion_id
from pipeline.engine import M5SER_VERSION
from pipeline.provenance.flac import with_comments
from pipeline.recipe import Recipe, published
from pipeline.recipe_file import parse_recipe
from pipeline.selection.gates import ScoreGate
from pipeline.writing.rows import clip_marks

RATE = 16_000
LANGUAGES = ("en", "de", "fr")
EMOTIONS = ("angry", "happy", "sad")
SPLITS = ("train", "test")
PER_CELL = 2
"""Kept takes of each language, split and emotion; so many are rejected of each language."""
Row = dict[str, Any]
RECIPE = """
name: tones
corpus: {engine: quickstart}
languages: [en, de, fr]
prosody: {from: emotion}
judges: [{engine: duration}]
gates: {length: {score: duration_s, min: 0.1}}
shard_rows: 4
"""


def tiny_recipe() -> Recipe:
    """The recipe of the set."""
    return parse_recipe(RECIPE)


def tiny_rows() -> list[tuple[str, Row]]:
    """Its kept rows, each with its split; no sentence or speaker is in two."""
    return [
        (split, _row(language, split, emotion, number))
        for language in LANGUAGES
        for split in SPLITS
        for emotion in EMOTIONS
        for number in range(PER_CELL)
    ]


def marked(flac: bytes, take_id: str) -> bytes:
    """The clip with the comments of a take of this set."""
    return with_comments(flac, {**clip_marks(tiny_recipe(), "m5ser"), "TAKE_ID": take_id})


def _row(language: str, split: str, emotion: str, number: int, take: int = 0) -> Row:
    sentence = f"{split}-{emotion}-{number}"
    take_id = f"{sentence}.{language}.{take}"
    of_cell_hz = 7 * number + 3 * SPLITS.index(split) + LANGUAGES.index(language) + 20 * take
    pitch_hz = 100 + 40 * emotion_id(emotion) + of_cell_hz  # type: ignore[arg-type]
    duration_s = 0.5 + 0.1 * number
    return {
        "take_id": take_id,
        "source_id": sentence,
        "text": f"{_WORDS[sentence]} in {language}",
        "source_text": _WORDS[sentence],
        "language": language,
        "split": split,
        "emotion": emotion,
        "emotion_id": emotion_id(emotion),  # type: ignore[arg-type]
        "speaker_id": f"{split}-speaker",
        "gender": "female",
        "voice": f"{split}-voice",
        "corpus": "quickstart",
        "audio": {
            "bytes": marked(tone(pitch_hz, duration_s), take_id),
            "path": f"{take_id}.flac",
        },
        "sampling_rate": RATE,
        "duration_s": duration_s,
        "is_synthetic": True,
        "synthesizer": "espeak",
        "translator": "memory",
        "seed": number,
        "strength": 1.0,
        "neutral_from": "published",
        "limited_db": 0.0,
        "licence": "Apache-2.0",
        "prosody_source": None,
        **{
            name: dict.fromkeys(PROSODY[name], 1.0)
            for name in ("prosody_neutral", "prosody_target")
        },
        "scores": dict.fromkeys(tiny_recipe().score_names, duration_s),
    }


_PLACES = "kitchen harbour theatre airport library station garden office museum market castle hotel"
_WORDS = {
    f"{split}-{emotion}-{number}": f"Somebody forgot the {place} {number} again"
    for place, (split, emotion, number) in zip(
        _PLACES.split(),
        [(s, e, n) for s in SPLITS for e in EMOTIONS for n in range(PER_CELL)],
        strict=True,
    )
}


def tone(pitch_hz: float, duration_s: float) -> bytes:
    """A sine as FLAC."""
    times_s = np.arange(round(duration_s * RATE)) / RATE
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * pitch_hz * times_s), RATE, format="FLAC")
    return file.getvalue()


def silence(seconds: int, take_id: str) -> bytes:
    """A clip that is packed to almost nothing."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(seconds * RATE, np.int16), RATE, format="FLAC")
    return marked(file.getvalue(), take_id)


def write_set(
    folder: Path,
    change: Callable[[list[tuple[str, Row]]], list[tuple[str, Row]]] = list,
    fingerprint: str = "ab" * 32,
    **recipe: Any,
) -> Path:
    """Write the set, its rows changed by `change` and its recipe by fields; without figures."""
    resolved = parse_recipe(yaml.safe_dump({**yaml.safe_load(RECIPE), **recipe}))
    rows = change(tiny_rows())
    for language in resolved.languages:
        for split in SPLITS:
            of_split = [row for at, row in rows if (row["language"], at) == (language, split)]
            stem = folder / "data" / language / split
            _write(stem, of_split, kept_schema(resolved.score_names, RATE))
        stem = folder / "rejects" / language / "rejects"
        rejected = [_rejected(resolved, language, number) for number in range(PER_CELL)]
        _write(stem, rejected, rejects_schema(resolved.score_names, RATE))
    write_failures(folder / "failures.parquet", [])
    text = yaml.safe_dump(published(resolved), sort_keys=False)
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    build = {**_BUILD, "fingerprint": fingerprint, "clip_fingerprint": resolved.clip_fingerprint()}
    (folder / "build.json").write_text(json.dumps(build), encoding="utf-8")
    write_card(folder)
    write_credentials(folder)
    write_manifest(folder)
    return folder


def write_set_with(folder: Path, **fields: Any) -> Path:
    """Write the set of English, its first row with other fields."""

    def change(rows: list[tuple[str, Row]]) -> list[tuple[str, Row]]:
        return [(rows[0][0], {**rows[0][1], **fields}), *rows[1:]]

    return write_set(folder, change, languages=["en"])


_BUILD = {
    "m5ser": M5SER_VERSION,
    "recipe": "tones",
    "read": {"utterances": 12, "dropped": {}, "failed": 0},
    "probe": None,
    "components": {},
}
_TOO_SHORT_S = 0.05


def _rejected(recipe: Recipe, language: str, number: int) -> Row:
    """A take that the gate `length` rejects, and no other may."""
    gate = recipe.gates["length"]
    limit = gate.min if isinstance(gate, ScoreGate) else None
    asked = gate.score if isinstance(gate, ScoreGate) else None
    outcome = {"reason": "length", "score_name": asked, "score": _TOO_SHORT_S, "threshold": limit}
    scores = dict.fromkeys(recipe.score_names, _TOO_SHORT_S)
    row = _row(language, "train", "angry", number, take=1)
    return {**row, "scores": scores, **outcome, "failed_gates": ["length"]}


def _write(stem: Path, rows: list[Row], schema: Any) -> None:
    writer = partial(ShardWriter, stem, schema, len(rows), 4)
    if rows:
        with writer() as shards:
            for row in rows:
                shards.write(row)
