"""Is this the sentence, in this language, completely spoken? What Whisper hears of a take."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from pipeline.judges.agreement import Normalise, agreement, normaliser
from pipeline.judges.base import Judge, JudgeBatch, JudgeContext, JudgeItem, Scores
from pipeline.judges.speech import Speech
from pipeline.judges.usable import usable_only
from pipeline.records import Failure
from pipeline.whisper.checkpoint import Device, Dtype, load_checkpoint, pinned_sha256
from pipeline.whisper.encoding import Window
from pipeline.whisper.transcribing import Clip, Piece, Transcriber, Transcript

_LEAST_SPEECH_S = 0.1
_HEARD = (
    "average_log_probability",
    "text_log_probability",
    "compression_ratio",
    "language_audio_probability",
)
"""Scores that a take without a transcript doesn't have."""


class Whisper(Judge):
    """openai-whisper with the wanted language forced (Radford et al. 2022).

    `cer`, `wer`, `missing_start`, `missing_end`, `repetition`: the transcript against the wanted
    text (`pipeline.judges.agreement`). `average_log_probability` and `compression_ratio` are
    Whisper's own; below -1.0 and above 2.4 it distrusts itself. `text_log_probability`: the mean
    that the model gives the wanted text's own tokens; unlike `cer` it forgives spellings that
    sound alike (compare the goodness of pronunciation, Witt and Young 2000).
    `language_audio_probability`: of the wanted language among the recipe's, asked apart from the
    transcript. A take with less than 0.1 s of speech (`Speech`) is not transcribed, because Whisper
    invents words in silence: `transcribed` is 0, its text counts as wholly missing, and what has no
    value is NaN.
    """

    engine: Literal["whisper"] = "whisper"
    version: ClassVar[int] = 2
    scores: ClassVar[tuple[str, ...]] = (
        "transcribed",
        "cer",
        "wer",
        "missing_start",
        "missing_end",
        "repetition",
        *_HEARD,
    )
    model: Annotated[str, Field(min_length=1)] = "large-v3-turbo"
    """An openai-whisper name, or the path of a checkpoint (.pt, or .safetensors with .json)."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Of the weights: other weights are refused (none: whichever are found)."""
    window: Window = "full"
    """`full`: the transcript is exactly Whisper's; `short`: several times faster, nearly so."""
    batch_size: Annotated[int, Field(ge=1, le=1024)] = 16
    device: Device = "auto"
    dtype: Dtype = "auto"
    """Of the matrices: float16 on CUDA, else float32."""
    language_temperature: Annotated[float, Field(gt=0)] = 1.0
    """Calibrates `language_audio_probability`; 1 is Whisper's own softmax."""

    def pinned(self) -> Self:
        """The same settings with the weights' hash filled in, for the resolved recipe.

        Raises:
            CheckpointError: `model` is neither a file nor a known name.
        """
        return self.model_copy(update={"sha256": self.sha256 or pinned_sha256(self.model)})

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Load the checkpoint, and the voice activity detector that comes first.

        Raises:
            CheckpointError: the weights can't be had, or are not those that were pinned.
            ValueError: the model doesn't know a language of the recipe.
        """
        checkpoint = load_checkpoint(self.model, self.sha256, self.device, self.dtype)
        transcriber = Transcriber(
            checkpoint,
            context.languages,
            self.window,
            self.batch_size,
            self.language_temperature,
        )
        normalisers = {
            str(language): normaliser(language, checkpoint.spelling)
            for language in context.languages
        }
        return usable_only(_score(transcriber, Speech().load(context), normalisers))


def _score(
    transcriber: Transcriber, speech: JudgeBatch, normalisers: dict[str, Normalise]
) -> Callable[[list[JudgeItem]], list[Scores | Failure]]:
    def score(items: list[JudgeItem]) -> list[Scores | Failure]:
        prepared = [_prepare(transcriber, item) for item in items]
        spoken = [_has_speech(found) for found in speech(items)]
        go = [p for p, there in zip(prepared, spoken, strict=True) if there and isinstance(p, list)]
        transcripts = iter(transcriber.transcribe(go))
        return [
            own
            if isinstance(own, Failure)
            else _scores(item, next(transcripts) if there else None, normalisers[item.language])
            for item, own, there in zip(items, prepared, spoken, strict=True)
        ]

    return score


def _prepare(transcriber: Transcriber, item: JudgeItem) -> list[Piece] | Failure:
    try:
        return transcriber.prepare(Clip(item.samples, item.text, item.language))
    except ValueError as error:
        return Failure("judge", str(error))


def _has_speech(found: Scores | Failure) -> bool:
    """A take that the detector fails on is transcribed: silence is not assumed."""
    return isinstance(found, Failure) or found["speech_s"] >= _LEAST_SPEECH_S


def _scores(
    item: JudgeItem, transcript: Transcript | None, normalise: Normalise
) -> Scores | Failure:
    from whisper.utils import compression_ratio

    text = transcript.text if transcript else ""
    try:
        compared = agreement(item.text, text, item.language, normalise)
    except ValueError as error:
        return Failure("judge", str(error))
    if transcript is None:
        own = dict.fromkeys(_HEARD, math.nan)
        return {"transcribed": 0.0, **compared, **own}
    return {
        "transcribed": 1.0,
        **compared,
        "average_log_probability": transcript.average_log_probability,
        "text_log_probability": transcript.text_log_probability,
        "compression_ratio": compression_ratio(text),
        "language_audio_probability": transcript.language_probabilities[item.language],
    }
