"""The judges that choose among classes, with all that they give to each: what calibration needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.judges.base import Judge, JudgeContext, JudgeItem
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.transcript import Whisper
from pipeline.languages import Language
from pipeline.records import Failure

Hear = Callable[[Sequence[JudgeItem]], "list[np.ndarray | Failure]"]


@dataclass(frozen=True)
class Witness:
    """A loaded judge that gives probabilities [C] to `classes`, before any calibration.

    `score`: which of its scores a gate reads. `tells_languages`: its classes are languages, else
    emotions.
    """

    judge: str
    score: str
    classes: tuple[str, ...]
    tells_languages: bool
    hear: Hear

    def truth(self, item: JudgeItem) -> str:
        """The class that a clip is known to have."""
        return item.language if self.tells_languages else item.emotion


def witnesses(judges: Sequence[Judge], languages: tuple[Language, ...]) -> Iterator[Witness]:
    """Load the emotion judges, and Whisper to tell `languages` apart if there are two or more.

    Raises:
        InputError: a model can't be had.
    """
    for judge in judges:
        if isinstance(judge, SpeechEmotion):
            score = f"{judge.name}_margin"
            yield Witness(judge.name, score, judge.emotions, False, _by_emotion(judge))
        elif isinstance(judge, Whisper) and len(languages) > 1:
            score = "language_audio_probability"
            yield Witness(judge.engine, score, languages, True, _by_language(judge, languages))


def _by_emotion(judge: SpeechEmotion) -> Hear:
    classify = judge.classifier()
    return lambda items: classify([item.samples for item in items])


def _by_language(judge: Whisper, languages: tuple[Language, ...]) -> Hear:
    plain = judge.model_copy(update={"language_temperature": 1.0})
    listener = plain.listener(JudgeContext(languages))

    def hear(items: Sequence[JudgeItem]) -> list[np.ndarray | Failure]:
        return [
            one if isinstance(one, Failure) else np.array([one[name] for name in languages])
            for one in listener.languages(items)
        ]

    return hear
