"""What only the whole corpus can say: voices, neutral speech, and the human profiles."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipeline import tables
from pipeline.engine import digest
from pipeline.prosody.baseline import Baselines
from pipeline.prosody.profile import Profile
from pipeline.prosody.relative import relative_scalars
from pipeline.recipe import Recipe
from pipeline.records import Gender, Utterance
from pipeline.stages.references import Reference, references_of, voice_references
from pipeline.stages.synthesis_job import Neutral
from pipeline.store import Store, to_json
from pipeline.work.intake import Batch, Intake

_HUMAN = pa.schema(
    {"speaker": pa.string(), "emotion": pa.string(), "profile": pa.list_(pa.float64())}
)


@dataclass(frozen=True)
class Census:
    """The corpus as a whole.

    `voices` and `neutrals` by speaker (no neutrals without recordings); `human`: key of the table
    of the recordings' relative profiles, or None; `references` by utterance id, as far as the
    synthesizer listens to any; `voice_references` by cloned voice.
    """

    voices: Mapping[str, str]
    neutrals: Mapping[str, Neutral]
    human: str | None
    references: Mapping[str, tuple[Reference, ...]]
    voice_references: Mapping[str, tuple[Reference, ...]]


def take_census(store: Store, recipe: Recipe, intake: Intake, sources: Mapping[str, str]) -> Census:
    """Look at every utterance that came through the door.

    `sources`: for each batch's key, the key of its measured sources.
    """
    genders: dict[str, Gender] = {}
    recorded: list[tuple[str, Utterance]] = []
    for batch, utterance, profile in admitted(store, intake.batches, sources):
        if profile is not None:
            recorded.append((batch, utterance))
        genders.setdefault(utterance.speaker, utterance.gender)
    voices = assign_voices(recipe, genders)
    neutrals = _neutrals(store, intake.batches, sources, genders)
    return Census(
        voices,
        neutrals,
        _write_human(store, intake.batches, sources, neutrals) if neutrals else None,
        references_of(recorded, recipe.synthesis.conditioned_on),
        voice_references(recorded) if recipe.synthesis.clones else {},
    )


def admitted(
    store: Store, batches: list[Batch], sources: Mapping[str, str]
) -> Iterator[tuple[str, Utterance, Profile | None]]:
    """Utterances that came through the door, with their batch's key and their clip's profile."""
    for batch in batches:
        measured = store.read("sources", sources[batch.key], ["error", "profile"]).to_pylist()
        utterances = tables.utterances(store.read("utterances", batch.key))
        for utterance, row in zip(utterances, measured, strict=True):
            if row["error"] is None:
                profile = row["profile"]
                read = Profile.from_dict(json.loads(profile)) if profile else None
                yield batch.key, utterance, read


def assign_voices(recipe: Recipe, genders: Mapping[str, Gender]) -> dict[str, str]:
    """Name of the voice of each speaker."""
    voices: dict[str, str] = {}
    for speaker in sorted(genders):
        taken = set(voices.values())
        voices[speaker] = recipe.synthesis.voice_for(speaker, genders[speaker], taken)
    return voices


def _neutrals(
    store: Store,
    batches: list[Batch],
    sources: Mapping[str, str],
    genders: Mapping[str, Gender],
) -> dict[str, Neutral]:
    recorded = [(u, profile) for _, u, profile in admitted(store, batches, sources) if profile]
    if not recorded:
        return {}
    baselines = Baselines.fit(_baseline_rows(recorded))
    neutrals = {}
    for speaker, gender in genders.items():
        profile, origin = baselines.neutral(speaker, gender)
        neutrals[speaker] = Neutral(to_json(profile.to_dict()), origin)
    return neutrals


def _write_human(
    store: Store,
    batches: list[Batch],
    sources: Mapping[str, str],
    neutrals: Mapping[str, Neutral],
) -> str:
    """Write the recordings' profiles relative to their speakers' neutral; returns the key."""
    recorded = [(u, profile) for _, u, profile in admitted(store, batches, sources) if profile]
    spoken: defaultdict[str, list[tuple[Utterance, Profile]]] = defaultdict(list)
    for utterance, profile in recorded:
        if utterance.emotion == "neutral":
            spoken[utterance.speaker].append((utterance, profile))
    rows = []
    for utterance, profile in recorded:
        if utterance.emotion == "neutral":
            neutral = _others_neutral(utterance, spoken)
        else:
            neutral = Profile.from_dict(json.loads(neutrals[utterance.speaker].profile))
        if neutral is not None:
            rows.append(
                {
                    "speaker": utterance.speaker,
                    "emotion": utterance.emotion,
                    "profile": relative_scalars(profile, neutral).tolist(),
                }
            )
    key = digest("human", 3, rows)
    if not store.has("human", key):
        store.write("human", key, tables.table(rows, _HUMAN))
    return key


Recorded = Sequence[tuple[Utterance, Profile]]


def _baseline_rows(recorded: Recorded) -> list[tuple[str, str, str, Profile]]:
    return [(u.speaker, u.gender, u.emotion, profile) for u, profile in recorded]


def _others_neutral(utterance: Utterance, spoken: Mapping[str, Recorded]) -> Profile | None:
    """What a neutral clip is relative to: never to itself, which would make it exactly zero.

    The speaker's other neutral clips; or, of a speaker with a single one, other speakers' of the
    gender, or of any. None where nobody else has one.
    """
    own = [row for row in spoken[utterance.speaker] if row[0].id != utterance.id]
    others = (of_one for speaker, of_one in spoken.items() if speaker != utterance.speaker)
    rows = own or [row for of_one in others for row in of_one]
    if not rows:
        return None
    profile, _ = Baselines.fit(_baseline_rows(rows)).neutral(utterance.speaker, utterance.gender)
    return profile
