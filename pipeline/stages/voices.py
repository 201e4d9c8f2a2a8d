"""One neutral English clip of every voice, which the takes' voices are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipeline import tables
from pipeline.audio import Clip, encode_flac
from pipeline.corpora.base import Door
from pipeline.engine import digest, release
from pipeline.errors import InputError
from pipeline.languages import SOURCE
from pipeline.loading import loaded
from pipeline.prosody.frames import RATE
from pipeline.prosody.target import from_emotion
from pipeline.prosody.transfer import transfer
from pipeline.records import Failure
from pipeline.stages.references import Reference, contents, open_references
from pipeline.store import Store
from pipeline.synthesis.base import Speech, SpeechRequest, Synthesizer

STAGE = "voices"
_WHEELS = ("pyworld", "soxr", "soundfile")
"""Packages that make a clip of what the engine speaks, as they make takes."""
_VERSION = 5
_SENTENCE = "The north wind and the sun were disputing which was the stronger."
"""Opening of the International Phonetic Association's passage for specimens of speech."""
_SCHEMA = pa.schema({"voice": pa.string(), "audio": pa.binary(), "error": pa.string()})
Spoken = tuple[str, np.ndarray]
"""A voice and its clip, float32 [T] at `RATE`."""


def key(
    synthesizer: Synthesizer,
    voices: Sequence[str],
    references: Mapping[str, tuple[Reference, ...]],
) -> str:
    """Name of the clips of these voices; `references` by voice, see `run`."""
    releases = [release(one) for one in _WHEELS]
    heard = contents(references)
    return digest(STAGE, _VERSION, synthesizer.fingerprint(), sorted(voices), heard, releases)


def run(
    store: Store,
    output: str,
    synthesizer: Synthesizer,
    voices: Sequence[str],
    references: Mapping[str, tuple[Reference, ...]],
    door: Door,
) -> None:
    """Let every voice speak the sentence without emotion; a cloned voice is heard in a recording.

    Raises:
        InputError: the engine can't speak as a voice, or a speaker's recordings have none.
        OSError: this worker doesn't find a recording, or can't read it now.
    """
    if synthesizer.clones:
        spoken = _recorded(open_references(store, references, door))
    else:
        spoken = _synthesized(synthesizer, sorted(voices))
    rows = [{"voice": voice, "audio": encode_flac(clip, RATE)} for voice, clip in spoken]
    store.write(STAGE, output, tables.table(rows, _SCHEMA))


def _synthesized(synthesizer: Synthesizer, voices: Sequence[str]) -> Iterator[Spoken]:
    synthesize = loaded(synthesizer.fingerprint(), synthesizer.load)
    answers = synthesize([SpeechRequest(_SENTENCE, SOURCE, voice, seed=0) for voice in voices])
    for voice, speech in zip(voices, answers, strict=True):
        if isinstance(speech, Failure):
            raise InputError(
                f"synthesis: voice '{voice}' can't speak an English sentence, by which judges know "
                f"it: {speech.error}; let the engine speak English, take the speaker judges out, "
                "or leave the voice's speakers out of the corpus"
            )
        yield voice, _as_a_take(speech)


def _recorded(heard: Mapping[str, tuple[Clip, ...] | Failure]) -> Iterator[Spoken]:
    """The first recording of each speaker that has a voice in it."""
    for voice, clips in sorted(heard.items()):
        if isinstance(clips, Failure):
            raise _not_heard(voice, clips.error)
        voiced = (_with_voice(Speech(clip.samples, clip.sampling_rate)) for clip in clips)
        found = next((clip for clip in voiced if clip is not None), None)
        if found is None:
            raise _not_heard(voice, "no recording has a voiced frame")
        yield voice, found


def _not_heard(voice: str, why: str) -> InputError:
    return InputError(
        f"corpus: the voice of speaker '{voice}' can't be heard: {why}; replace the speaker's "
        "recordings, or leave the speaker out"
    )


def _with_voice(speech: Speech) -> np.ndarray | None:
    try:
        return _as_a_take(speech)
    except ValueError:
        return None


def _as_a_take(speech: Speech) -> np.ndarray:
    """The same vocoder as the takes went through, so that it is the voice that is compared."""
    return transfer(speech, from_emotion("neutral", 0), [0.0], [0]).takes[0]
