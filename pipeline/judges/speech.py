"""How much of a take is speech, by Silero's voice activity detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from pipeline.judges.base import (
    JUDGE_RATE_HZ,
    Judge,
    JudgeBatch,
    JudgeContext,
    JudgeItem,
    Measured,
    Scores,
)
from pipeline.judges.bundled import need, open_onnx, package_folder
from pipeline.judges.usable import usable_only
from pipeline.needs import Price
from pipeline.records import Failure

PACKAGE = "silero-vad>=6.2"
"""The package that holds `MODEL`."""
MODEL = "data/silero_vad_16k_op15.onnx"
WINDOW = 512
"""Samples of which the detector says at once whether they are speech."""
LEVEL_DBFS = -20.0
"""RMS at which the detector hears a clip. At -36 dBFS, where takes leave room for a shout, it
misses nine tenths of some that it hears whole at -20."""
_MOST_GAIN_DB = 30.0
"""So that what is all but silent stays so."""
_CONTEXT = 64
_STATE = 128

Timestamps = Callable[..., list[dict[str, int]]]


class Speech(Judge):
    """Share and seconds of speech (Silero VAD 6, https://github.com/snakers4/silero-vad, MIT).

    No paper; trained on speech of many languages, by its own word over six thousand.

    `speech_share` of the take, `speech_s`. The probabilities of 32 ms windows become segments by
    Silero's own rule with its own defaults: from `threshold` until 0.15 below it for 100 ms, 30 ms
    added on each side, none shorter than 250 ms. Every clip is heard at `LEVEL_DBFS`. It tells
    speech from silence and noise; it does not tell whether the speech is intelligible.
    """

    engine: Literal["speech"] = "speech"
    version: ClassVar[int] = 2
    checks: ClassVar[str] = "whether there is speech at all (silero-vad)"
    measures: ClassVar[frozenset[Measured]] = frozenset({"speech"})
    wheels: ClassVar[tuple[str, ...]] = ("silero-vad",)
    price: ClassVar[Price] = Price("cpu", 0.01, "speech_s", "assumed")
    scores: ClassVar[Mapping[str, str]] = {
        "speech_share": "speech in the take, as a share of its length",
        "speech_s": "speech in the take, s",
    }
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability from which a window is speech (Silero's default)."""

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Open the model.

        Raises:
            ModuleNotFoundError: silero-vad or onnxruntime is not installed.
        """
        session = open_onnx(package_folder("silero_vad", PACKAGE) / MODEL)
        timestamps = _timestamps()

        def score(items: list[JudgeItem]) -> list[Scores | Failure]:
            windows = speech_probabilities(session, [levelled(item.samples) for item in items])
            return [
                self._score(timestamps, item, probabilities)
                for item, probabilities in zip(items, windows, strict=True)
            ]

        return usable_only(score)

    def _score(self, timestamps: Timestamps, item: JudgeItem, windows: np.ndarray) -> Scores:
        total = len(item.samples)
        segments = timestamps(
            windows.tolist(), threshold=self.threshold, audio_length_samples=total
        )
        speech = sum(segment["end"] - segment["start"] for segment in segments)
        return {"speech_share": speech / total, "speech_s": speech / JUDGE_RATE_HZ}


def levelled(samples: np.ndarray) -> np.ndarray:
    """The clip, float32 [T], at `LEVEL_DBFS` and clipped at full scale; zeros stay zeros."""
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    if rms == 0:
        return samples
    gain = min(10 ** (LEVEL_DBFS / 20) / rms, 10 ** (_MOST_GAIN_DB / 20))
    return np.clip(samples * np.float32(gain), -1.0, 1.0)


def speech_probabilities(session: Any, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Probability of speech in each window of 512 samples of clips [T] at 16 kHz.

    One pass over time for all clips at once, each with its own state. The longest come first, so
    that the clips still running are a slice and nothing is computed on padding.
    """
    order = sorted(range(len(clips)), key=lambda i: -len(clips[i]))
    padded = [_padded(clips[i]) for i in order]
    counts = [len(clip) // WINDOW for clip in padded]
    found = [np.zeros(count, np.float32) for count in counts]
    state = np.zeros((2, len(clips), _STATE), np.float32)
    rate = np.array(JUDGE_RATE_HZ, np.int64)
    for step in range(max(counts, default=0)):
        running = sum(count > step for count in counts)
        at = step * WINDOW
        windows = np.stack([clip[at : at + _CONTEXT + WINDOW] for clip in padded[:running]])
        inputs = {"input": windows, "state": state[:, :running], "sr": rate}
        probabilities, state = session.run(None, inputs)
        for clip in range(running):
            found[clip][step] = probabilities[clip, 0]
    return [found[order.index(i)] for i in range(len(clips))]


def _padded(clip: np.ndarray) -> np.ndarray:
    """The clip in whole windows, after the silence that is the first window's context."""
    return np.pad(clip.astype(np.float32), (_CONTEXT, -len(clip) % WINDOW))


def _timestamps() -> Timestamps:
    """Silero's rule from probabilities to segments."""
    torch = need("torch", "torch")
    threads = torch.get_num_threads()
    rule: Timestamps = need("silero_vad.utils_vad", PACKAGE).get_speech_timestamps_from_probs
    torch.set_num_threads(threads)  # the package sets the whole process to one on import
    return rule
