"""Takes of a batch become scores: the audio is decoded once for all judges that are due."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pipeline import tables
from pipeline.audio import decode_flac, read_recording, resample
from pipeline.emotions import Emotion
from pipeline.engine import digest
from pipeline.judges.base import JUDGE_RATE_HZ, Judge, JudgeBatch, JudgeContext, JudgeItem
from pipeline.languages import Language
from pipeline.loading import loaded
from pipeline.prosody.profile import Profile
from pipeline.prosody.target import Target
from pipeline.records import Take, Tally, Utterance
from pipeline.store import Store

STAGE = "scores"
_VERSION = 1


@dataclass(frozen=True)
class JudgeJob:
    """A batch in one language: where its inputs lie; `voices` and `human` are tables or None."""

    utterances: str
    sources: str
    lines: str
    takes: str
    languages: tuple[Language, ...]
    voices: str | None
    human: str | None

    def key(self, judge: Judge) -> str:
        """Name of one judge's scores: they depend on the whole corpus only if the judge does."""
        return digest(STAGE, _VERSION, judge.fingerprint(), self.takes, self._context_key(judge))

    def _context_key(self, judge: Judge) -> list[Any]:
        return [
            list(self.languages) if judge.needs_languages else None,
            self.voices if judge.needs_voices else None,
            self.human if judge.needs_sources else None,
        ]

    def load_key(self, judge: Judge) -> str:
        """Name under which a loaded judge is held."""
        return digest(judge.fingerprint(), self._context_key(judge))


def run(store: Store, judges: Sequence[Judge], job: JudgeJob) -> Tally:
    """Let every judge score the batch whose scores aren't there yet."""
    due = [judge for judge in judges if not store.has(STAGE, job.key(judge))]
    items = _items(store, job, any(judge.hears_source for judge in due))
    failed: set[str] = set()
    for judge in due:
        load = partial(_load, store, job, judge)
        judge_batch = loaded(job.load_key(judge), load)
        answers = judge_batch(items) if items else []
        rows = tables.answered("take_id", [item.take_id for item in items], answers)
        schema = tables.scores_schema(judge.scores, transcribes=judge.transcribes)
        store.write(STAGE, job.key(judge), tables.table(rows, schema))
        failed |= {row["take_id"] for row in rows if row.get("error")}
    return Tally(len(items), len(failed), sum(item.duration_s for item in items))


def _load(store: Store, job: JudgeJob, judge: Judge) -> JudgeBatch:
    return judge.load(_context(store, job, judge))


def _items(store: Store, job: JudgeJob, with_source: bool) -> list[JudgeItem]:
    utterances = {u.id: u for u in tables.utterances(store.read("utterances", job.utterances))}
    recordings = {id: u.recording for id, u in utterances.items() if with_source and u.recording}
    sources = {row["id"]: row for row in store.read("sources", job.sources).to_pylist()}
    texts = {line.source_id: line.text for line in tables.lines(store.read("lines", job.lines))}
    takes = tables.takes(store.read("takes", job.takes))
    heard = {
        id: read_recording(recordings[id], JUDGE_RATE_HZ)
        for id in dict.fromkeys(take.source_id for take in takes)
        if id in recordings
    }
    return [
        _item(
            take,
            texts[take.source_id],
            utterances[take.source_id],
            sources[take.source_id],
            heard.get(take.source_id),
        )
        for take in takes
    ]


def _item(
    take: Take,
    text: str,
    utterance: Utterance,
    source: Mapping[str, Any],
    heard: np.ndarray | None,
) -> JudgeItem:
    samples, rate = decode_flac(take.audio)
    return JudgeItem(
        take_id=take.id,
        samples=resample(samples, rate, JUDGE_RATE_HZ),
        text=text,
        language=take.language,
        emotion=utterance.emotion,
        voice=take.voice,
        phone_count=take.phone_count,
        target=Target.from_dict(json.loads(take.target)) if take.target else None,
        reference=Profile.from_dict(json.loads(take.reference)) if take.reference else None,
        source_speaker=utterance.speaker,
        source_duration_s=source["duration_s"],
        source_phone_count=source["phone_count"],
        source_text=utterance.text,
        hit_length_cap=take.hit_length_cap,
        source=heard,
    )


def _context(store: Store, job: JudgeJob, judge: Judge) -> JudgeContext:
    voices: dict[str, np.ndarray] = {}
    if judge.needs_voices and job.voices:
        for row in store.read("voices", job.voices).to_pylist():
            samples, rate = decode_flac(row["audio"])
            voices[row["voice"]] = resample(samples, rate, JUDGE_RATE_HZ)
    human: list[tuple[str, Emotion, np.ndarray]] = []
    if judge.needs_sources and job.human:
        human = [
            (row["speaker"], row["emotion"], np.array(row["profile"]))
            for row in store.read("human", job.human).to_pylist()
        ]
    return JudgeContext(job.languages, voices, human)
