"""Judges that know classes against human speech: recall, confusion, calibration, a temperature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.audio import BadAudio, open_recording, resample
from pipeline.calibration import (
    Threshold,
    best_threshold,
    calibrated_across_speakers,
    calibration_error,
    fitted_temperature,
    margins,
    tempered,
)
from pipeline.corpora.base import Corpus
from pipeline.engine import digest
from pipeline.errors import InputError
from pipeline.judges.any import AnyJudge
from pipeline.judges.base import JUDGE_RATE_HZ, JudgeItem
from pipeline.judges.transcript import Whisper
from pipeline.judges.witness import Witness, witnesses
from pipeline.languages import Language
from pipeline.metrics import Metrics, confusion, measure
from pipeline.records import Failure, Utterance

_GROUP = 64
"""Clips that are held in memory at a time."""
EVERY = "every"
"""In the place of a language: all of them together."""
Speech = Mapping[Language, Corpus]
"""Human recordings by the language that is spoken in them."""
_NOBODY = "the recipe has no judge to calibrate: neither `emotion` nor `whisper`"
Groups = list[list[Utterance]]
Told = Callable[[Groups, str], Iterable[list[Utterance]]]
"""Gives groups of clips back one by one, and tells somebody how far it is; by what they are."""


@dataclass(frozen=True)
class Calibration:
    """One judge on the human speech of one language, or of every one.

    `ece`, expected calibration error, is of its own probabilities; `ece_calibrated` of each
    speaker's under the temperature that the other speakers ask for (none: there is one speaker).
    `threshold` is a limit on `score` under `temperature`; `confusion` has a row a true class.
    """

    judge: str
    language: str
    classes: tuple[str, ...]
    metrics: Metrics
    confusion: tuple[tuple[int, ...], ...]
    speakers: int
    ece: float
    ece_calibrated: float | None
    temperature: float
    score: str
    threshold: Threshold


def calibrations(
    judges: Sequence[AnyJudge],
    languages: tuple[Language, ...],
    speech: Speech,
    limit: int | None,
    told: Told,
) -> tuple[list[Calibration], list[str]]:
    """Let the emotion judges and the Whisper judge hear human speech; also what it could not use.

    `languages`: those that the Whisper judge chooses from. `limit`: the most clips of a language,
    drawn from all of its corpus.

    Raises:
        InputError: there is no such judge, a model or corpus can't be had, or there is too
            little speech to say anything of any judge.
    """
    notes: list[str] = []
    several = len(set(speech) & set(languages)) > 1
    present = list(witnesses(judges, languages if several else ()))
    if not several and any(isinstance(judge, Whisper) for judge in judges):
        notes.append("whisper: speech in two or more of the recipe's languages is needed")
    heard: defaultdict[tuple[int, str], list[_Heard]] = defaultdict(list)
    for language, corpus in speech.items():
        utterances = spread(_recorded(language, corpus), limit)
        groups = [utterances[at : at + _GROUP] for at in range(0, len(utterances), _GROUP)]
        for group in told(groups, f"speech in {language}"):
            items = list(_items(group, corpus, language, notes))
            for place, witness in enumerate(present):
                about = EVERY if witness.tells_languages else language
                heard[place, about] += _hear(witness, items, notes)
    found = []
    for (place, about), rows in heard.items():
        if len({row.truth for row in rows}) < 2:
            name = present[place].judge
            notes.append(f"{name}, {about}: clips of two or more of its classes are needed")
        else:
            found.append(_calibration(present[place], about, rows))
    if not found:
        raise InputError("\n".join(dict.fromkeys(notes)) or _NOBODY)
    return found, list(dict.fromkeys(notes))


@dataclass(frozen=True)
class _Heard:
    """What a witness gave to the classes of a clip, which of them is true, and who spoke."""

    shares: np.ndarray
    truth: int
    speaker: str


def _recorded(language: Language, corpus: Corpus) -> list[Utterance]:
    found = [one for one in corpus.read() if isinstance(one, Utterance) and one.recording]
    if not found:
        raise InputError(f"no recordings of human speech in '{language}': name some by --speech")
    return found


def spread(utterances: list[Utterance], limit: int | None) -> list[Utterance]:
    """At most so many, by a hash of their ids.

    Even distances meet a corpus in step that lists its speakers or emotions in turn.
    """
    if limit is None or limit >= len(utterances):
        return utterances
    chosen = {one.id for one in sorted(utterances, key=lambda one: digest(one.id))[:limit]}
    return [one for one in utterances if one.id in chosen]


def _items(
    utterances: Sequence[Utterance], corpus: Corpus, language: Language, notes: list[str]
) -> Iterator[JudgeItem]:
    for one in utterances:
        if one.recording is None:
            continue
        try:
            clip = open_recording(one.recording, corpus.door)
        except BadAudio as bad:
            notes.append(f"{language}: not heard: {bad}")
            continue
        samples = resample(clip.samples, clip.sampling_rate, JUDGE_RATE_HZ)
        yield JudgeItem(one.id, samples, one.text, language, one.emotion, one.speaker)


def _hear(witness: Witness, items: Sequence[JudgeItem], notes: list[str]) -> Iterator[_Heard]:
    """Of the clips whose true class the witness knows."""
    known = [item for item in items if witness.truth(item) in witness.classes]
    for item, shares in zip(known, witness.hear(known), strict=True):
        if isinstance(shares, Failure):
            notes.append(f"{witness.judge} on '{item.take_id}': {shares.error}")
        else:
            yield _Heard(shares, witness.classes.index(witness.truth(item)), item.voice)


def _calibration(witness: Witness, language: str, heard: Sequence[_Heard]) -> Calibration:
    shares = tempered(np.stack([one.shares for one in heard]).astype(np.float64), 1.0)
    truth = np.array([one.truth for one in heard])
    speakers = [one.speaker for one in heard]
    said, classes = shares.argmax(axis=1), len(witness.classes)
    warmth = fitted_temperature(shares, truth)
    settled = tempered(shares, warmth)
    several = len(set(speakers)) > 1
    across = calibrated_across_speakers(shares, truth, speakers) if several else None
    return Calibration(
        judge=witness.judge,
        language=language,
        classes=witness.classes,
        metrics=measure(truth, said, classes, np.array(speakers)),
        confusion=tuple(map(tuple, confusion(truth, said, classes).tolist())),
        speakers=len(set(speakers)),
        ece=calibration_error(shares, truth),
        ece_calibrated=None if across is None else calibration_error(across, truth),
        temperature=round(warmth, 4),
        score=witness.score,
        threshold=best_threshold(settled if witness.tells_languages else margins(settled), truth),
    )
