"""One Whisper beside the normalisers of its spelling: what it heard of takes, as scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.judges.agreement import Normalise, agreement, normaliser
from pipeline.judges.base import JudgeItem, Scores
from pipeline.languages import Language
from pipeline.records import Failure
from pipeline.whisper.checkpoint import Checkpoint
from pipeline.whisper.encoding import Window
from pipeline.whisper.transcribing import Clip, Piece, Transcriber, Transcript

AGREEMENT = {
    "cer": "edits of the transcript's characters, over those of the text",
    "wer": "edits of the transcript's words, over those of the text",
    "missing_start": "what is missing at the beginning, as a share of the text's characters",
    "missing_end": "what is missing at the end, as a share of the text's characters",
    "repetition": "4-grams of the transcript that came before, as a share, beyond the text's",
}
"""The transcript against the wanted text: of two models, on one scale."""
OWN = {
    "average_log_probability": "mean log-probability of the transcript's tokens",
    "text_log_probability": "mean log-probability of the wanted text's tokens",
    "compression_ratio": "of the transcript by zlib; above 2.4 it repeats itself",
    "language_audio_probability": "probability that the language that is heard is the take's",
}
"""What a model says of itself and its transcript; NaN of a take without one."""


@dataclass(frozen=True)
class Heard:
    """What a model made of a take: scores, and its transcript; None where nobody speaks."""

    scores: Scores
    transcript: str | None


class Listener:
    """A checkpoint that transcribes takes in the languages of a recipe."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        languages: Sequence[Language],
        window: Window,
        batch_size: int,
        language_temperature: float = 1.0,
    ) -> None:
        """Ask Whisper for its rules in each language.

        Raises:
            ValueError: the model doesn't know one of the languages.
        """
        self._transcriber = Transcriber(
            checkpoint, languages, window, batch_size, language_temperature
        )
        self._normalisers: dict[str, Normalise] = {
            language: normaliser(language, checkpoint.spelling) for language in languages
        }

    def hear(self, items: Sequence[JudgeItem], spoken: Sequence[bool]) -> list[Heard | Failure]:
        """`transcribed`, `AGREEMENT` and `OWN` of a take; without a transcript if not `spoken`."""
        prepared = [self._prepare(item) for item in items]
        go = [p for p, there in zip(prepared, spoken, strict=True) if there and isinstance(p, list)]
        transcripts = iter(self._transcriber.transcribe(go))
        return [
            own
            if isinstance(own, Failure)
            else self._heard(item, next(transcripts) if there else None)
            for item, own, there in zip(items, prepared, spoken, strict=True)
        ]

    def languages(self, items: Sequence[JudgeItem]) -> list[dict[str, float] | Failure]:
        """The language that each take is heard to be in: probabilities of the recipe's."""
        prepared = [self._prepare(item) for item in items]
        heard = iter(self._transcriber.transcribe([p for p in prepared if isinstance(p, list)]))
        answers = [own if isinstance(own, Failure) else next(heard) for own in prepared]
        return [one if isinstance(one, Failure) else one.language_probabilities for one in answers]

    def _prepare(self, item: JudgeItem) -> list[Piece] | Failure:
        try:
            return self._transcriber.prepare(Clip(item.samples, item.text, item.language))
        except ValueError as error:
            return Failure("judge", str(error))

    def _heard(self, item: JudgeItem, transcript: Transcript | Failure | None) -> Heard | Failure:
        from whisper.utils import compression_ratio

        if isinstance(transcript, Failure):
            return transcript
        text = transcript.text if transcript else ""
        try:
            compared = agreement(item.text, text, item.language, self._normalisers[item.language])
        except ValueError as error:
            return Failure("judge", str(error))
        if transcript is None:
            return Heard({"transcribed": 0.0, **compared, **dict.fromkeys(OWN, math.nan)}, None)
        own = (
            transcript.average_log_probability,
            transcript.text_log_probability,
            compression_ratio(text),
            transcript.language_probabilities[item.language],
        )
        return Heard({"transcribed": 1.0, **compared, **dict(zip(OWN, own, strict=True))}, text)
