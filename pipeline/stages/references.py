"""Which recordings a cloned voice is taken from: a line's own, and others of the same speaker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline import tables
from pipeline.audio import BadAudio, Clip, open_recording, require_recording
from pipeline.corpora.base import Door
from pipeline.records import Failure, Recording, Utterance
from pipeline.store import Store
from pipeline.synthesis.base import ConditionedOn

_MOST = 8
"""Recordings of a speaker and emotion for one line, its own among them (assumed): 30 s, the most
that XTTS v2 listens to, at the 4 s of an acted utterance."""


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """The recording of an utterance: the key of its batch in the store, its id, what is heard."""

    batch: str
    utterance: str
    content: str


Recorded = Iterable[tuple[str, Utterance]]
"""(key of the batch, utterance) of every recording that came through the door."""


def references_of(recorded: Recorded, wanted: ConditionedOn) -> dict[str, tuple[Reference, ...]]:
    """The references of each utterance by its id, its own recording first."""
    if wanted == "none":
        return {}
    if wanted == "source":
        return {one.id: (_reference(batch, one),) for batch, one in recorded}
    alike: dict[tuple[str, str], list[Reference]] = {}
    for batch, one in recorded:
        alike.setdefault((one.speaker, one.emotion), []).append(_reference(batch, one))
    return {
        own.utterance: tuple((group * 2)[at : at + min(_MOST, len(group))])
        for group in alike.values()
        for at, own in enumerate(group)
    }


def voice_references(recorded: Recorded) -> dict[str, tuple[Reference, ...]]:
    """For each speaker recordings that show the voice, those without emotion first."""
    found: dict[str, list[tuple[bool, Reference]]] = {}
    for batch, one in recorded:
        found.setdefault(one.speaker, []).append((one.emotion != "neutral", _reference(batch, one)))
    return {
        speaker: tuple(reference for _, reference in sorted(of_one, key=lambda pair: pair[0]))[
            :_MOST
        ]
        for speaker, of_one in found.items()
    }


def contents(references: Mapping[str, Sequence[Reference]]) -> dict[str, list[str]]:
    """What is heard, for the name of what is made of it."""
    return {name: [one.content for one in own] for name, own in references.items()}


def open_references(
    store: Store, references: Mapping[str, Sequence[Reference]], door: Door
) -> dict[str, tuple[Clip, ...] | Failure]:
    """The recordings of each line, or why one of them can't be opened any more.

    Raises:
        OSError: this worker doesn't find one, or can't read it now.
    """
    wanted = sorted({one for of_line in references.values() for one in of_line})
    recordings: dict[tuple[str, str], Recording] = {}
    for batch in dict.fromkeys(one.batch for one in wanted):
        for utterance in tables.utterances(store.read("utterances", batch)):
            if utterance.recording is not None:
                recordings[batch, utterance.id] = utterance.recording
    opened = {one: _open(recordings[one.batch, one.utterance], door) for one in wanted}
    return {
        line: _all_or_failure([opened[one] for one in of_line])
        for line, of_line in references.items()
    }


def _reference(batch: str, utterance: Utterance) -> Reference:
    if utterance.recording is None:
        raise ValueError(f"'{utterance.id}' has no recording to refer to")
    return Reference(batch, utterance.id, utterance.recording.content)


def _open(recording: Recording, door: Door) -> Clip | Failure:
    require_recording(recording)
    try:
        return open_recording(recording, door)
    except BadAudio as error:
        return Failure("synthesize", f"reference: {error}")


def _all_or_failure(clips: Sequence[Clip | Failure]) -> tuple[Clip, ...] | Failure:
    good = tuple(clip for clip in clips if isinstance(clip, Clip))
    return good if len(good) == len(clips) else next(c for c in clips if isinstance(c, Failure))
