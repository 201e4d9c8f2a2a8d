"""Lines of a batch become takes: the engine speaks, the prosody is put on, FLAC is packed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from pipeline import tables
from pipeline.audio import Clip, decode_flac, encode_flac, resample
from pipeline.engine import digest, release
from pipeline.languages import TONAL, Language
from pipeline.loading import loaded
from pipeline.prosody.profile import Profile
from pipeline.prosody.target import (
    Target,
    as_people_do,
    from_emotion,
    from_source,
    sparing_tones,
)
from pipeline.prosody.transfer import transfer
from pipeline.recipe import Recipe
from pipeline.records import Failure, Line, Tally, Utterance
from pipeline.stages.references import Reference, contents, open_references
from pipeline.store import Store, to_json
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.espeak import count_phones

STAGE = "takes"
_VERSION = 13
_NOT_NAMED = ("utterances", "sources", "lines", "spoken")
"""Where inputs lie, whose contents a name is made of instead."""
_WHEELS = ("espeakng-loader", "pyworld", "soxr", "soundfile")
"""Packages that have a part in the takes of every engine: phones, prosody, rate, FLAC."""


@dataclass(frozen=True)
class Neutral:
    """The neutral profile that a speaker's targets are relative to, as JSON, and whose it is."""

    profile: str
    origin: str


@dataclass(frozen=True)
class SynthesisJob:
    """A batch in a language: where its inputs lie, and what the whole corpus says of it.

    `contents` name what the takes of each spoken line are made of. `voices` and `neutrals` by
    speaker, no neutrals where the corpus has no recordings; `references` by utterance id, empty
    where the engine listens to none. `spoken`: ids of the utterances whose lines are worth speaking
    (none: all).
    """

    language: Language
    utterances: str
    sources: str
    lines: str
    contents: tuple[str, ...]
    voices: Mapping[str, str]
    neutrals: Mapping[str, Neutral]
    references: Mapping[str, tuple[Reference, ...]] = field(default_factory=dict)
    spoken: tuple[str, ...] | None = None

    def key(self, recipe: Recipe) -> str:
        """Name of the takes, by what they are made of and not by where that lies."""
        settings = recipe.model_dump(
            mode="json", include={"prosody", "takes", "sampling_rate", "seed"}
        )
        if recipe.watermark:
            settings["watermark"] = recipe.watermark.fingerprint()
        engine = recipe.synthesis.fingerprint_for(self.language)
        releases = [release(one) for one in _WHEELS]
        made_of = {
            **{name: value for name, value in asdict(self).items() if name not in _NOT_NAMED},
            "references": contents(self.references),
        }
        return digest(STAGE, _VERSION, engine, settings, made_of, releases)


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
        rows += _takes(recipe, job, utterance, line, speech, profiles[line.source_id])
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
    voice, seed = job.voices[utterance.speaker], _seed(recipe, line, number)
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


def _seed(recipe: Recipe, line: Line, number: int) -> int:
    return int(digest(recipe.seed, line.source_id, line.language, number)[:8], 16) >> 1


def _takes(
    recipe: Recipe,
    job: SynthesisJob,
    utterance: Utterance,
    line: Line,
    renditions: list[Speech | Failure],
    profile: str | None,
) -> Iterator[dict[str, Any]]:
    """Rows of all takes of a line, in their order."""
    target, neutral_from = _target(recipe, job, utterance, profile)
    own = _own_neutral(recipe, job, utterance)
    numbers = list(range(recipe.takes))
    for index, rendition in enumerate(renditions):
        chosen = numbers if len(renditions) == 1 else [index]
        rows = [_identity(recipe, job, utterance, line, number) for number in chosen]
        if isinstance(rendition, Failure):
            made: list[dict[str, Any]] = [{"error": rendition.error}] * len(rows)
        else:
            made = _shape(recipe, rendition, target, own, rows)
        for row, rest in zip(rows, made, strict=True):
            yield {**row, "neutral_from": neutral_from, **rest}


def _identity(
    recipe: Recipe, job: SynthesisJob, utterance: Utterance, line: Line, number: int
) -> dict[str, Any]:
    strengths = recipe.prosody.strengths
    return {
        "id": f"{line.source_id}.{line.language}.{number}",
        "source_id": line.source_id,
        "language": line.language,
        "number": number,
        "voice": job.voices[utterance.speaker],
        "seed": _seed(recipe, line, number),
        "strength": strengths[number % len(strengths)],
    }


def _target(
    recipe: Recipe, job: SynthesisJob, utterance: Utterance, profile: str | None
) -> tuple[Target | None, str | None]:
    """What the takes of an utterance are asked for, and whose neutral it is relative to."""
    if recipe.prosody.origin == "none":
        return None, None
    if recipe.prosody.origin == "source" and profile is not None:
        neutral = job.neutrals[utterance.speaker]
        source = Profile.from_dict(json.loads(profile))
        target = from_source(source, Profile.from_dict(json.loads(neutral.profile)))
        target = as_people_do(target, utterance.emotion)
        if job.language in TONAL:
            target = sparing_tones(target)
        return target, neutral.origin
    # One target for all languages of an utterance: they are meant to say it the same way.
    seed = int(digest(recipe.seed, utterance.id)[:8], 16)
    return from_emotion(utterance.emotion, seed), "published"


def _own_neutral(recipe: Recipe, job: SynthesisJob, utterance: Utterance) -> Profile | None:
    """How the person of a cloned voice speaks without emotion, at the level of the takes.

    A clone that has heard the line's recording has some of its emotion before any transfer, so its
    rendition is no neutral speech to measure a take by. None where it is, or nobody was recorded.
    """
    if not recipe.synthesis.clones or utterance.speaker not in job.neutrals:
        return None
    neutral = Profile.from_dict(json.loads(job.neutrals[utterance.speaker].profile))
    return replace(neutral, energy_db=recipe.prosody.neutral_dbfs)


def _shape(
    recipe: Recipe,
    speech: Speech,
    target: Target | None,
    neutral: Profile | None,
    rows: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """The takes of one rendition, or why there are none; measured by `neutral`, if there is one."""
    if not (len(speech.samples) and np.isfinite(speech.samples).all()):
        error = "the engine's speech is empty or has samples that are not finite"
        return [{"error": error}] * len(rows)
    if target is None:
        samples = resample(speech.samples, speech.sampling_rate, recipe.sampling_rate)
        return [_packed(recipe, samples, speech, 0.0) for _ in rows]
    try:
        shaped = transfer(
            speech,
            target,
            [row["strength"] for row in rows],
            [row["seed"] for row in rows],
            recipe.sampling_rate,
            recipe.prosody.neutral_dbfs,
        )
    except ValueError as error:
        return [{"error": f"prosody: {error}"}] * len(rows)
    asked = {
        "target": to_json(target.to_dict()),
        "reference": to_json((neutral or shaped.reference).to_dict()),
    }
    return [
        {**_packed(recipe, samples, speech, limited_db), **asked}
        for samples, limited_db in zip(shaped.takes, shaped.limited_db, strict=True)
    ]


def _packed(
    recipe: Recipe, samples: np.ndarray, speech: Speech, limited_db: float
) -> dict[str, Any]:
    """A take's clip, watermarked if the recipe asks for it, or why there is none."""
    mark = recipe.watermark
    marker = loaded(mark.fingerprint(), mark.load) if mark else None
    audio = encode_flac(marker.mark(samples) if marker else samples, recipe.sampling_rate)
    fault = marker.fault(decode_flac(audio)[0]) if marker else None
    if fault:
        return {"error": fault}
    return {
        "audio": audio,
        "audio_sha256": hashlib.sha256(audio).hexdigest(),
        "sampling_rate": recipe.sampling_rate,
        "duration_s": len(samples) / recipe.sampling_rate,
        "phone_count": speech.phone_count,
        "limited_db": limited_db,
        "hit_length_cap": speech.hit_length_cap,
    }
