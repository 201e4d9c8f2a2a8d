"""`m5ser calibrate`: a recipe's judges against human speech, language by language."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pipeline.corpora.any import AnyCorpus
from pipeline.corpora.base import Corpus
from pipeline.corpora.manifest import Manifest
from pipeline.engine import Settings
from pipeline.errors import InputError
from pipeline.judges.any import AnyJudge
from pipeline.judges.calibrating import EVERY, Calibration, Groups, Speech, calibrations
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.transcript import Whisper
from pipeline.languages import LANGUAGES, SOURCE, Language
from pipeline.recipe import Recipe
from pipeline.records import Utterance
from pipeline.settings_file import BadRecipe, parse_settings

_SHOWN = 10
"""Notes that a person is shown."""


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

    Raises:
        InputError: see `calibrations`.
    """

    def told(groups: Groups, about: str) -> Iterable[list[Utterance]]:
        return track(groups, about, console=console, disable=not console.is_terminal)

    found, notes = calibrations(recipe.judges, recipe.languages, speech, limit, told)
    return Calibrated(recipe.name, tuple(found), tuple(notes))


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
            return judge.model_copy(update={"language_temperature": found[EVERY]})
    return judge
