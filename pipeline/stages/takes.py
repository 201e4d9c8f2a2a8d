"""Renditions of a line become its takes: the prosody is put on, FLAC is packed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.audio import decode_flac, encode_flac, resample
from pipeline.engine import digest
from pipeline.languages import TONAL
from pipeline.loading import loaded
from pipeline.prosody.profile import Profile
from pipeline.prosody.target import Target, as_people_do, from_emotion, from_source, sparing_tones
from pipeline.prosody.transfer import transfer
from pipeline.recipe import Recipe
from pipeline.records import Failure, Line, Utterance
from pipeline.stages.synthesis_job import SynthesisJob, seed_of
from pipeline.store import to_json
from pipeline.synthesis.base import Speech


def takes_of(
    recipe: Recipe,
    job: SynthesisJob,
    utterance: Utterance,
    line: Line,
    renditions: list[Speech | Failure],
    profile: str | None,
) -> Iterator[dict[str, Any]]:
    """Rows of all takes of a line, in their order; `profile`: of its source clip as JSON."""
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
        "seed": seed_of(recipe, line, number),
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
