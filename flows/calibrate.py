"""`m5ser calibrate`: a recipe's judges against human speech, language by language."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from model.evaluation.metrics import Metrics, confusion, measure
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
from pipeline.corpora.any import AnyCorpus
from pipeline.corpora.base import Corpus
from pipeline.corpora.manifest import Manifest
from pipeline.engine import Settings, digest
from pipeline.errors import InputError
from pipeline.judges.any import AnyJudge
from pipeline.judges.base import JUDGE_RATE_HZ, JudgeItem
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.transcript import Whisper
from pipeline.judges.witness import Witness, witnesses
from pipeline.languages import LANGUAGES, SOURCE, Language
from pipeline.recipe import Recipe
from pipeline.records import Failure, Utterance
from pipeline.settings_file import BadRecipe, parse_settings

_GROUP = 64
"""Clips that are held in memory at a time."""
_SHOWN = 10
"""Notes that a person is shown."""
_EVERY = "every"
"""In the place of a language: all of them together."""

Speech = Mapping[Language, Corpus]
"""Human recordings by the language that is spoken in them."""


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


@dataclass(frozen=True)
class Calibrated:
    """Every judge that knows classes, and what could not be used, a sentence each."""

    recipe: str
    found: tuple[Calibration, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)

    def print_to(self, console: Console) -> None:
        """For a person: a row a judge and language, then who is taken for whom."""
        header = ("judge", "language", "clips", "speakers", "UA % (95 %)", "ECE", "calibrated",
                  "temperature", "threshold: right, wrong that pass")  # fmt: skip
        table = Table(*header, title=f"judges of {self.recipe} on human speech")
        for one in self.found:
            table.add_row(*_row(one))
        console.print(table)
        for one in self.found:
            title = f"{one.judge}, {one.language}: true in rows"
            counts = Table("", *one.classes, title=title)
            for name, row in zip(one.classes, one.confusion, strict=True):
                counts.add_row(name, *map(str, row))
            console.print(counts)
        for note in self.notes[:_SHOWN]:
            console.print(note, markup=False)
        if len(self.notes) > _SHOWN:
            console.print(f"and {len(self.notes) - _SHOWN} more, by --json")


def _row(one: Calibration) -> Iterator[str]:
    low, high = one.metrics.ua_interval
    limit = one.threshold
    yield from (one.judge, one.language, str(one.metrics.clips), str(one.speakers))
    yield f"{one.metrics.ua:.1%} ({low:.0%} to {high:.0%})"
    yield f"{one.ece:.3f}"
    yield "" if one.ece_calibrated is None else f"{one.ece_calibrated:.3f}"
    yield f"{one.temperature:.2f}"
    passing = f"{limit.accepts_right:.0%}, {limit.accepts_wrong:.0%}"
    yield f"{one.score} >= {limit.at:.3f}: {passing}"


def speech_of(recipe: Recipe, given: Sequence[str]) -> Speech:
    """Corpora by language, from texts LANGUAGE=MANIFEST or LANGUAGE={engine: ...}.

    Of none the recipe's own corpus is taken, which is English.

    Raises:
        InputError: a text names no language or no corpus.
    """
    if not given:
        return {SOURCE: recipe.corpus}
    found: dict[Language, Corpus] = {}
    for text in given:
        name, _, value = text.partition("=")
        language = next((one for one in LANGUAGES if one == name), None)
        if language is None or not value or language in found:
            raise InputError(
                f"--speech {text}: give each language once, as LANGUAGE=MANIFEST or "
                f"LANGUAGE={{engine: ...}}; languages are {', '.join(LANGUAGES)}"
            )
        found[language] = _corpus(value)
    return found


class _Given(Settings):
    """A corpus as a recipe has it."""

    corpus: AnyCorpus


def _corpus(value: str) -> Corpus:
    if not value.lstrip().startswith("{"):
        return Manifest(path=Path(value))
    try:
        return parse_settings(_Given, f"corpus: {value}").corpus
    except BadRecipe as bad:
        raise BadRecipe([f"--speech {value}: {error}" for error in bad.errors]) from bad


def calibrate(recipe: Recipe, speech: Speech, limit: int | None, console: Console) -> Calibrated:
    """Let the emotion judges and the Whisper judge of a recipe hear human speech.

    `limit`: the most clips of a language, drawn from all of its corpus.

    Raises:
        InputError: the recipe has no such judge, a model or corpus can't be had, or there is too
            little speech to say anything of any judge.
    """
    notes: list[str] = []
    several = len(set(speech) & set(recipe.languages)) > 1
    present = list(witnesses(recipe.judges, recipe.languages if several else ()))
    if not several and any(isinstance(judge, Whisper) for judge in recipe.judges):
        notes.append("whisper: speech in two or more of the recipe's languages is needed")
    heard: defaultdict[tuple[int, str], list[_Heard]] = defaultdict(list)
    for language, corpus in speech.items():
        utterances = _spread(_recorded(language, corpus), limit)
        groups = [utterances[at : at + _GROUP] for at in range(0, len(utterances), _GROUP)]
        hidden = not console.is_terminal
        for group in track(groups, f"speech in {language}", console=console, disable=hidden):
            items = list(_items(group, corpus, language, notes))
            for place, witness in enumerate(present):
                about = _EVERY if witness.tells_languages else language
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
    return Calibrated(recipe.name, tuple(found), tuple(dict.fromkeys(notes)))


def check_place(path: Path) -> None:
    """Refuse a file that can't be written before anything is heard, which may take hours.

    Raises:
        InputError: it can't.
    """
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir():
        raise InputError(f"--write: '{path}' is no file in a folder that there is; name another")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise InputError(f"--write: '{path}' may not be written by you; name another")


def write_calibrated(recipe: Recipe, calibrated: Calibrated, path: Path) -> None:
    """Write the recipe with the temperatures that were found in its judges' settings."""
    fields = with_temperatures(recipe, calibrated).model_dump(
        mode="json", by_alias=True, exclude_unset=True
    )
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def with_temperatures(recipe: Recipe, calibrated: Calibrated) -> Recipe:
    """The recipe in which every calibrated judge has its temperature."""
    by_score: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for one in calibrated.found:
        by_score[one.score][one.language] = one.temperature
    judges = tuple(_warmed(judge, by_score) for judge in recipe.judges)
    return recipe.model_copy(update={"judges": judges})


def _warmed(judge: AnyJudge, by_score: Mapping[str, Mapping[str, float]]) -> AnyJudge:
    """The judge with those of its own scores; no two judges write the same."""
    for score in judge.scores:
        found = dict(by_score.get(score, {}))
        if found and isinstance(judge, SpeechEmotion):
            temperatures: dict[Any, float] = {**judge.temperatures, **found}
            return judge.model_copy(update={"temperatures": temperatures})
        if found and isinstance(judge, Whisper):
            return judge.model_copy(update={"language_temperature": found[_EVERY]})
    return judge


@dataclass(frozen=True)
class _Heard:
    """What a witness gave to the classes of a clip, which of them is true, and who spoke."""

    shares: np.ndarray
    truth: int
    speaker: str


_NOBODY = "the recipe has no judge to calibrate: neither `emotion` nor `whisper`"


def _recorded(language: Language, corpus: Corpus) -> list[Utterance]:
    found = [one for one in corpus.read() if isinstance(one, Utterance) and one.recording]
    if not found:
        raise InputError(f"no recordings of human speech in '{language}': name some by --speech")
    return found


def _spread(utterances: list[Utterance], limit: int | None) -> list[Utterance]:
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
