"""The door: each text and recording is checked once, and the recording's prosody is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline import tables
from pipeline.audio import BadAudio, is_there, open_recording, require_recording
from pipeline.corpora.base import Door
from pipeline.emotions import Emotion
from pipeline.engine import digest, release
from pipeline.prosody.profile import measure
from pipeline.records import Tally, Utterance
from pipeline.scripts import character_error
from pipeline.store import Store, to_json
from pipeline.synthesis.espeak import count_phones

STAGE = "sources"
_VERSION = 5
_WHEELS = ("espeakng-loader", "pyworld", "soxr")
"""Packages that measure: phones, F0 and spectrum, rate."""


def key(batch: str, door: Door) -> str:
    """Name of the batch's sources."""
    return digest(STAGE, _VERSION, batch, door.model_dump(), [release(one) for one in _WHEELS])


def run(store: Store, batch: str, output: str, door: Door) -> Tally:
    """Check and measure the utterances of a batch.

    Raises:
        OSError: this worker doesn't find a recording that intake has found, or can't read it now.
    """
    utterances = tables.utterances(store.read("utterances", batch))
    _require_recordings(utterances)
    recorded = [utterance for utterance in utterances if utterance.recording]
    counts = dict(
        zip(
            [utterance.id for utterance in recorded],
            count_phones([utterance.text for utterance in recorded]),
            strict=True,
        )
    )
    rows = [_row(utterance, counts.get(utterance.id), door) for utterance in utterances]
    written = tables.table(rows, tables.SOURCES)
    store.write(STAGE, output, written)
    return tables.tally(written)


def _require_recordings(utterances: Sequence[Utterance]) -> None:
    """Make sure that this worker finds the recordings that intake has found."""
    for utterance in utterances:
        recording = utterance.recording
        # What intake didn't find either has no hash, and is the door's to refuse.
        if recording and recording.sha256 and not is_there(recording.path):
            require_recording(recording)


def _row(utterance: Utterance, phone_count: int | None, door: Door) -> dict[str, Any]:
    error = text_error(utterance.text, door)
    if error:
        return {"id": utterance.id, "error": error}
    if utterance.recording is None:
        return {"id": utterance.id}
    try:
        clip = open_recording(utterance.recording, door)
        profile = measure(clip.samples, clip.sampling_rate, phone_count)
    except BadAudio as bad:
        return {"id": utterance.id, "error": str(bad)}
    except ValueError as bad:
        return {"id": utterance.id, "error": f"'{utterance.recording.path.name}': {bad}"}
    return {
        "id": utterance.id,
        "duration_s": clip.duration_s,
        "phone_count": phone_count,
        "channels": clip.channels,
        "profile": to_json(profile.to_dict()),
    }


def text_error(text: str, door: Door) -> str | None:
    """Why a text can't come in, in one sentence, or None if it can."""
    if len(text) > door.longest_text:
        return f"the text has {len(text)} characters; door.longest_text is {door.longest_text}"
    return character_error(text)


class Admitted(NamedTuple):
    """What the later stages ask of an utterance that came through the door.

    `content` names what they use: a corrected licence, or another door that lets the same in,
    makes no speech anew. What the whole corpus says of its speaker is not in it.
    """

    id: str
    text: str
    emotion: Emotion
    speaker: str
    content: str


_USED = ("duration_s", "phone_count", "profile")


def admitted_texts(store: Store, batch: str, sources: str) -> list[Admitted]:
    """A batch's utterances that came through the door."""
    measured = store.read(STAGE, sources, ["error", *_USED]).to_pylist()
    utterances = tables.utterances(store.read("utterances", batch))
    return [
        _admitted(utterance, [row[name] for name in _USED])
        for utterance, row in zip(utterances, measured, strict=True)
        if row["error"] is None
    ]


def _admitted(one: Utterance, measured: Sequence[Any]) -> Admitted:
    heard = one.recording.content if one.recording else None
    content = digest(one.id, one.text, one.emotion, one.speaker, heard, measured)
    return Admitted(one.id, one.text, one.emotion, one.speaker, content)
