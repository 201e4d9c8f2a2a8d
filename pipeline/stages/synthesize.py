"""Lines of a batch become takes: the engine speaks them, and each rendition is shaped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline import tables
from pipeline.audio import Clip
from pipeline.loading import loaded
from pipeline.recipe import Recipe
from pipeline.records import Failure, Line, Tally, Utterance
from pipeline.stages.references import open_references
from pipeline.stages.synthesis_job import STAGE, SynthesisJob, seed_of
from pipeline.stages.takes import takes_of
from pipeline.store import Store
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.espeak import count_phones


def run(store: Store, output: str, recipe: Recipe, job: SynthesisJob) -> Tally:
    """Synthesize every take of the batch's lines."""
    utterances = {u.id: u for u in tables.utterances(store.read("utterances", job.utterances))}
    profiles = {
        row["id"]: row["profile"]
        for row in store.read("sources", job.sources, ["id", "profile"]).to_pylist()
    }
    spoken = None if job.spoken is None else frozenset(job.spoken)
    lines = [
        line
        for line in tables.lines(store.read("lines", job.lines))
        if spoken is None or line.source_id in spoken
    ]
    rows: list[dict[str, Any]] = []
    requests = _requests(store, recipe, job, utterances, lines)
    renditions = _with_phones(lines, _speak(recipe, requests))
    for line, speech in zip(lines, renditions, strict=True):
        utterance = utterances[line.source_id]
        rows += takes_of(recipe, job, utterance, line, speech, profiles[line.source_id])
    written = tables.table(rows, tables.TAKES)
    store.write(STAGE, output, written)
    return tables.tally(written)


def _requests(
    store: Store,
    recipe: Recipe,
    job: SynthesisJob,
    utterances: Mapping[str, Utterance],
    lines: list[Line],
) -> list[list[SpeechRequest | Failure]]:
    """For each line what the engine is asked: once for all takes if it leaves nothing to chance."""
    heard = open_references(store, job.references, recipe.corpus.door)
    renditions = 1 if recipe.synthesis.deterministic else recipe.takes
    return [
        [
            _request(recipe, job, utterances[line.source_id], line, number, heard)
            for number in range(renditions)
        ]
        for line in lines
    ]


def _request(
    recipe: Recipe,
    job: SynthesisJob,
    utterance: Utterance,
    line: Line,
    number: int,
    heard: Mapping[str, tuple[Clip, ...] | Failure],
) -> SpeechRequest | Failure:
    clips = heard.get(utterance.id, ())
    if isinstance(clips, Failure):
        return clips
    voice, seed = job.voices[utterance.speaker], seed_of(recipe, line, number)
    return SpeechRequest(line.text, line.language, voice, seed, utterance.emotion, clips)


def _speak(
    recipe: Recipe, requests: list[list[SpeechRequest | Failure]]
) -> list[list[Speech | Failure]]:
    """The renditions of each line."""
    synthesize = loaded(recipe.synthesis.fingerprint(), recipe.synthesis.load)
    good = [one for of_line in requests for one in of_line if isinstance(one, SpeechRequest)]
    spoken = iter(synthesize(good))
    return [
        [one if isinstance(one, Failure) else next(spoken) for one in of_line]
        for of_line in requests
    ]


def _with_phones(
    lines: list[Line], spoken: list[list[Speech | Failure]]
) -> list[list[Speech | Failure]]:
    """The renditions, with the phones of their texts counted where the engine tells none."""
    mute = [
        at
        for at, of_line in enumerate(spoken)
        if any(isinstance(one, Speech) and one.phone_count is None for one in of_line)
    ]
    counted: dict[int, int | None] = {}
    for language in dict.fromkeys(lines[at].language for at in mute):
        places = [at for at in mute if lines[at].language == language]
        texts = [lines[at].text for at in places]
        counted.update(zip(places, count_phones(texts, language), strict=True))
    return [
        [
            replace(one, counted_phones=counted[at])
            if isinstance(one, Speech) and one.phone_count is None
            else one
            for one in of_line
        ]
        for at, of_line in enumerate(spoken)
    ]
