"""One neutral English clip of every voice, which the takes' voices are compared with."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from pipeline import tables
from pipeline.audio import encode_flac
from pipeline.engine import digest
from pipeline.languages import SOURCE
from pipeline.loading import loaded
from pipeline.prosody.target import from_emotion
from pipeline.prosody.transfer import transfer
from pipeline.records import Failure
from pipeline.store import Store
from pipeline.synthesis.base import SpeechRequest, Synthesizer

STAGE = "voices"
_VERSION = 1
_SENTENCE = "The north wind and the sun were disputing which was the stronger."
"""Opening of the International Phonetic Association's passage for specimens of speech."""
_SCHEMA = pa.schema({"voice": pa.string(), "audio": pa.binary(), "error": pa.string()})


def key(synthesizer: Synthesizer, voices: Sequence[str]) -> str:
    """Name of the clips of these voices."""
    return digest(STAGE, _VERSION, synthesizer.fingerprint(), sorted(voices))


def run(store: Store, output: str, synthesizer: Synthesizer, voices: Sequence[str]) -> None:
    """Let every voice speak the sentence without emotion.

    Raises:
        RuntimeError: a voice can't speak at all.
    """
    synthesize = loaded(synthesizer.fingerprint(), synthesizer.load)
    names = sorted(voices)
    answers = synthesize([SpeechRequest(_SENTENCE, SOURCE, name, seed=0) for name in names])
    rows = []
    for name, speech in zip(names, answers, strict=True):
        if isinstance(speech, Failure):
            raise RuntimeError(f"voice '{name}' can't speak: {speech.error}")
        # The same vocoder as the takes went through, so that it is the voice that is compared.
        shaped = transfer(speech, from_emotion("neutral", 0), [0.0], [0])
        rows.append({"voice": name, "audio": encode_flac(shaped.takes[0], shaped.sampling_rate)})
    store.write(STAGE, output, tables.table(rows, _SCHEMA))
