"""The rows that a dataset publishes: what the store holds of each take, marked as synthetic.

Of a corpus whose text may not be passed on, a row names the sentence by its id alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline import tables
from pipeline.dataset.prosody import prosody_of
from pipeline.emotions import emotion_id
from pipeline.provenance.components import SOURCE_TYPES, ledger, may_pass_on_text
from pipeline.provenance.flac import with_comments
from pipeline.recipe import Recipe
from pipeline.records import FailedRow, Line, Take, Utterance
from pipeline.selection.choose import Decision
from pipeline.store import Store
from pipeline.work.outcomes import Chain
from pipeline.work.wordings import line_scores

WITHHELD = "withheld: the error quotes the sentence, which may not be passed on"
_QUOTED = 12
"""Characters in a row from which a text counts as quoted."""


def clip_marks(recipe: Recipe, generator: str) -> dict[str, str]:
    """What every clip's Vorbis comments say of it; `TAKE_ID` is added for each."""
    source_type = ledger()["synthesizer", recipe.synthesis.engine].source_type
    return {
        "COMMENT": "synthetic speech",
        "GENERATOR": generator,
        "DIGITAL_SOURCE_TYPE": f"{SOURCE_TYPES}{source_type}",
        "CLIP_FINGERPRINT": recipe.clip_fingerprint(),
    }


def published_rows(
    store: Store,
    recipe: Recipe,
    chain: Chain,
    decisions: Mapping[str, Decision],
    marks: Mapping[str, str],
) -> Iterator[tuple[dict[str, Any], Decision]]:
    """Rows of a chain's takes that were decided, in their order; `marks`: see `clip_marks`."""
    utterances = {u.id: u for u in tables.utterances(store.read("utterances", chain.batch.key))}
    lines = {line.source_id: line for line in tables.lines(store.read("lines", chain.lines))}
    profiles = _source_profiles(store, chain)
    scores, transcripts = _judged(store, recipe, chain)
    text_scores = line_scores(store, recipe, chain.wording)
    for take in tables.takes(store.read("takes", chain.takes)):
        decision = decisions.get(take.id)
        if decision is not None:
            utterance = utterances[take.source_id]
            heard = transcripts.get(take.id)
            row = _row(recipe, utterance, take, lines[take.source_id], heard, marks)
            prosody = prosody_of(take, profiles[take.source_id])
            every = {**text_scores.get(take.source_id, {}), **scores.get(take.id, {})}
            told = {name: told_number(value) for name, value in every.items()}
            yield {**row, **prosody, "scores": told or None}, decision


def _row(
    recipe: Recipe,
    utterance: Utterance,
    take: Take,
    line: Line,
    heard: str | None,
    marks: Mapping[str, str],
) -> dict[str, Any]:
    shown = may_pass_on_text(utterance.corpus, utterance.licence)
    marked = with_comments(take.audio, {**marks, "TAKE_ID": take.id})
    return {
        "take_id": take.id,
        "source_id": take.source_id,
        "text": line.text if shown else None,
        "source_text": utterance.text if shown else None,
        "transcript": heard if shown else None,
        "language": take.language,
        "emotion": utterance.emotion,
        "emotion_id": emotion_id(utterance.emotion),
        "speaker_id": utterance.speaker,
        "gender": utterance.gender,
        "voice": take.voice,
        "corpus": utterance.corpus,
        "audio": {"bytes": marked, "path": f"{take.id}.flac"},
        "sampling_rate": take.sampling_rate,
        "duration_s": take.duration_s,
        "is_synthetic": True,
        "synthesizer": recipe.synthesis.engine,
        "translator": line.translator,
        "seed": take.seed,
        "strength": take.strength,
        "neutral_from": take.neutral_from,
        "limited_db": take.limited_db,
        "hit_length_cap": take.hit_length_cap,
        "licence": utterance.licence,
    }


def rejection(decision: Decision) -> dict[str, Any]:
    """Why a take or a line was rejected, as its row says it."""
    return {
        "reason": decision.reason,
        "score_name": decision.score_name,
        "score": told_number(decision.score),
        "threshold": told_number(decision.threshold),
        "failed_gates": list(decision.failed),
    }


def told_number(value: float | None) -> float | None:
    """A score, or None for NaN: SQL passes over what is null, and would sum up NaN to NaN."""
    return None if value is None or math.isnan(value) else value


def _source_profiles(store: Store, chain: Chain) -> dict[str, str | None]:
    """Of a chain's utterances by id: what was measured of their recordings, as JSON."""
    measured = store.read("sources", chain.sources, ["id", "profile"])
    return {row["id"]: row["profile"] for row in measured.to_pylist()}


def _judged(
    store: Store, recipe: Recipe, chain: Chain
) -> tuple[dict[str, dict[str, float]], dict[str, str | None]]:
    """All scores of a chain's takes, and what was heard of them in words, by take id."""
    scores: dict[str, dict[str, float]] = {}
    transcripts: dict[str, str | None] = {}
    for judge in recipe.judges:
        for row in store.read("scores", chain.judging.key(judge)).to_pylist():
            take_id, _ = row.pop("take_id"), row.pop("error")
            if judge.transcribes:
                transcripts[take_id] = row.pop("transcript")
            scores.setdefault(take_id, {}).update(row)
    return scores, transcripts


def published_failure(failure: FailedRow, texts: Sequence[str], paths: Sequence[str]) -> FailedRow:
    """The failure without these paths of the machine, and without an error that quotes a text."""
    error = failure.error
    for path in paths:
        error = error.replace(path, Path(path).name)
    quoted = any(_quotes(error, text) for text in texts)
    return replace(failure, error=WITHHELD if quoted else error)


def _quotes(error: str, text: str) -> bool:
    pieces = range(max(1, len(text) - _QUOTED + 1))
    return any(text[at : at + _QUOTED] in error for at in pieces if text)


def withheld_texts(store: Store, chains: Iterable[Chain]) -> dict[str, list[str]]:
    """By source id: the English sentence, and its lines, where they may not be passed on."""
    texts: dict[str, list[str]] = {}
    for chain in chains:
        for utterance in tables.utterances(store.read("utterances", chain.batch.key)):
            if not may_pass_on_text(utterance.corpus, utterance.licence):
                texts.setdefault(utterance.id, [utterance.text])
        for line in tables.lines(store.read("lines", chain.lines)):
            if line.source_id in texts:
                texts[line.source_id].append(line.text)
    return texts
