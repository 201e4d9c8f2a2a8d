"""What only the whole corpus can say: splits, voices, neutral speech, and the human profiles."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from pipeline import tables
from pipeline.engine import digest
from pipeline.intake import Batch, Intake
from pipeline.prosody.baseline import Baselines
from pipeline.prosody.profile import SCALARS, Profile
from pipeline.recipe import Recipe
from pipeline.records import Gender, Utterance
from pipeline.selection.splits import Split, assign_splits
from pipeline.stages.synthesize import Neutral
from pipeline.store import Store, to_json

_HUMAN = pa.schema(
    {"speaker": pa.string(), "emotion": pa.string(), "profile": pa.list_(pa.float64())}
)


@dataclass(frozen=True)
class Census:
    """The corpus as a whole.

    `splits` by utterance id; `voices` and `neutrals` by speaker (no neutrals without recordings);
    `human`: key of the table of the recordings' relative profiles, or None.
    """

    splits: Mapping[str, Split]
    voices: Mapping[str, str]
    neutrals: Mapping[str, Neutral]
    human: str | None


def take_census(store: Store, recipe: Recipe, intake: Intake, sources: Mapping[str, str]) -> Census:
    """Look at every utterance that came through the door.

    `sources`: for each batch's key, the key of its measured sources.
    """
    genders: dict[str, Gender] = {}
    ids, speakers, texts = [], [], []
    for utterance, _ in _admitted(store, intake.batches, sources):
        genders.setdefault(utterance.speaker, utterance.gender)
        ids.append(utterance.id)
        speakers.append(utterance.speaker)
        texts.append(utterance.text)
    voices = _assign_voices(recipe, genders)
    neutrals = _neutrals(store, intake.batches, sources, genders)
    return Census(
        assign_splits(ids, speakers, [voices[s] for s in speakers], texts, recipe.splits),
        voices,
        neutrals,
        _write_human(store, intake.batches, sources, neutrals) if neutrals else None,
    )


def _admitted(
    store: Store, batches: list[Batch], sources: Mapping[str, str]
) -> Iterator[tuple[Utterance, Profile | None]]:
    """Utterances that came through the door, with their recording's profile."""
    for batch in batches:
        measured = store.read("sources", sources[batch.key], ["error", "profile"]).to_pylist()
        utterances = tables.utterances(store.read("utterances", batch.key))
        for utterance, row in zip(utterances, measured, strict=True):
            if row["error"] is None:
                profile = row["profile"]
                yield utterance, Profile.from_dict(json.loads(profile)) if profile else None


def _assign_voices(recipe: Recipe, genders: Mapping[str, Gender]) -> dict[str, str]:
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
    rows = [
        (utterance.speaker, utterance.gender, utterance.emotion, profile)
        for utterance, profile in _admitted(store, batches, sources)
        if profile is not None
    ]
    if not rows:
        return {}
    baselines = Baselines.fit(rows)
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
    rows = []
    for utterance, profile in _admitted(store, batches, sources):
        if profile is not None:
            neutral = Profile.from_dict(json.loads(neutrals[utterance.speaker].profile))
            relative = [float(getattr(profile, n) - getattr(neutral, n)) for n in SCALARS]
            rows.append(
                {"speaker": utterance.speaker, "emotion": utterance.emotion, "profile": relative}
            )
    key = digest("human", 1, rows)
    if not store.has("human", key):
        store.write("human", key, tables.table(rows, _HUMAN))
    return key
