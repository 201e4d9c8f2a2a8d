"""The recipe: everything a person may want to change, as typed YAML; every error comes at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import to_jsonable_python

from pipeline.corpora.any import AnyCorpus
from pipeline.engine import Engine, Settings, digest, short_enough
from pipeline.judges.any import AnyJudge
from pipeline.languages import SOURCE, Language
from pipeline.needs import Lack
from pipeline.prosody.frames import RATE as PROSODY_RATE_HZ
from pipeline.prosody.transfer import NEUTRAL_DB
from pipeline.provenance.watermark import WATERMARK_RATE_HZ, AudioSeal
from pipeline.selection.choose import CHOICES, Selection
from pipeline.selection.gates import Gate
from pipeline.selection.splits import Splits
from pipeline.synthesis.any import AnySynthesizer
from pipeline.synthesis.espeak import Espeak
from pipeline.text_judges.any import AnyTextJudge
from pipeline.translation.any import AnyTranslator
from pipeline.translation.memory import Memory
from pipeline.translation.table import read_table

Strength = Annotated[float, Field(ge=0, le=2)]
_SHAPING = {
    "seed", "corpus", "translation", "corrections", "synthesis", "prosody", "takes",
    "sampling_rate", "watermark",
}  # fmt: skip


def _gate_name(name: str) -> str:
    """A name that can stand as the reason of a reject, and is no choice's."""
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError("name a gate by a-z, 0-9 and _, a letter first, as in too_short")
    if name in CHOICES:
        raise ValueError(f"'{name}' is a choice among takes that passed: name the gate otherwise")
    return name


GateName = Annotated[str, AfterValidator(_gate_name)]


class ProsodySettings(Settings):
    """How much of the wanted prosody is put on a take, and where it comes from."""

    origin: Annotated[Literal["source", "emotion", "none"], Field(alias="from")]
    """`source`: the utterance's own recording, where it has one, else as `emotion`; `emotion`: the
    published profile of the emotion; `none`: the engine's own prosody."""
    strengths: Annotated[tuple[Strength, ...], Field(min_length=1)] = (1.0,)
    """Share of the profile that each take gets in turn; 1 is all of it."""
    neutral_dbfs: Annotated[float, Field(ge=-60, le=-10)] = NEUTRAL_DB
    """Level of neutral speech; what emotion adds goes on top and needs room to full scale."""


class Recipe(Settings):
    """A dataset, described whole; the sections stand in the order of the work."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    """What the set is called, and its folder and its files with it."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of all that is drawn by chance."""
    corpus: AnyCorpus
    """Where the utterances come from."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    """What the takes are spoken in; `en` is the source itself."""
    translation: AnyTranslator = Memory()
    """What writes the lines."""
    corrections: Annotated[str, AfterValidator(short_enough)] | None = None
    """A translation memory of lines that a person has corrected: they go before the engine's."""
    text_judges: tuple[AnyTextJudge, ...] = ()
    """What measures the lines before they are spoken."""
    text_gates: dict[GateName, Gate] = {}
    """Which lines are worth speaking, by the scores of the text judges."""
    synthesis: AnySynthesizer = Espeak()
    """What speaks the lines."""
    prosody: ProsodySettings = ProsodySettings.model_validate({"from": "source"})
    """What is put on a take after it is spoken."""
    watermark: AudioSeal | None = None
    """An inaudible mark in every take (none: the marks of its row and file alone)."""
    takes: Annotated[int, Field(ge=1, le=32)] = 1
    """Attempts at each line, among which the gates and `selection` choose."""
    sampling_rate: Annotated[int, Field(ge=8_000, le=48_000)] = 16_000
    """Of the takes, in Hz; above 16000 only with `prosody.from: none`."""
    judges: tuple[AnyJudge, ...] = ()
    """What measures the takes."""
    gates: dict[GateName, Gate] = {}
    """Which takes are kept, by the scores of the judges."""
    selection: Selection = Selection()
    """Which of several good takes are kept."""
    splits: Splits = Splits()
    """How kept takes are divided for training."""
    licence: str | None = None
    """The licence that the set claims (none: the strictest of its components)."""
    licences: dict[str, str] = {}
    """SPDX ids of your own models, tables and commands, by name: what the ledger can't know."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 16
    """Most utterances in a batch, the unit of work and of what a kill can lose."""
    shard_rows: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    """Most rows of a file of the set."""
    most_failed: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of the takes due that failures may cost before the build's exit code says so; an entry
    refused at the door costs every take of its own."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        wrong = [*_repeats("languages", list(self.languages))]
        if self.watermark and self.sampling_rate != WATERMARK_RATE_HZ:
            wrong.append(f"watermark needs sampling_rate {WATERMARK_RATE_HZ}")
        wrong += self._empty_band()
        wrong += self._unknown_languages()
        wrong += self._shared_scores()
        wrong += self._unwritten_text_scores()
        wrong += self._unwritten_scores()
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _empty_band(self) -> Iterator[str]:
        if self.prosody.origin != "none" and self.sampling_rate > PROSODY_RATE_HZ:
            yield (
                f"sampling_rate: {self.sampling_rate} is above {PROSODY_RATE_HZ}, at which prosody "
                "is put on a take: there would be nothing in it to hear above "
                f"{PROSODY_RATE_HZ // 2} Hz; set sampling_rate to {PROSODY_RATE_HZ}, or "
                "prosody.from to none"
            )

    def _unknown_languages(self) -> Iterator[str]:
        engines: dict[str, Engine] = {"translation": self.translation, "synthesis": self.synthesis}
        engines |= {f"text_judges.{place}": judge for place, judge in enumerate(self.text_judges)}
        engines |= {f"judges.{place}": judge for place, judge in enumerate(self.judges)}
        for field, engine in engines.items():
            known = engine.languages
            lacking = [one for one in self.languages if known is not None and one not in known]
            if known is not None and lacking:
                yield (
                    f"languages: {', '.join(lacking)}: unknown to {field} ({engine.engine}), which "
                    f"knows {', '.join(sorted(known))}; take them out, or name another engine or "
                    "model"
                )

    def _shared_scores(self) -> Iterator[str]:
        judges: dict[str, AnyTextJudge | AnyJudge] = {}
        judges |= {f"text_judges.{place}": judge for place, judge in enumerate(self.text_judges)}
        judges |= {f"judges.{place}": judge for place, judge in enumerate(self.judges)}
        writers: dict[str, str] = {}
        for field, judge in judges.items():
            for score in judge.scores:
                if score in writers:
                    yield (
                        f"{field} ({judge.engine}) writes the score '{score}', as "
                        f"{writers[score]} does: drop one of the two, or give it another `name` "
                        "if it has that field"
                    )
            writers |= dict.fromkeys(judge.scores, field)

    def _unwritten_scores(self) -> Iterator[str]:
        wanted = [*_read_by("gates", self.gates)]
        wanted += [(f"selection.utility.{score}", score) for score in self.selection.utility]
        yield from _unwritten(wanted, self.score_names, "no judge of this recipe")

    def _unwritten_text_scores(self) -> Iterator[str]:
        written = [name for judge in self.text_judges for name in judge.scores]
        wanted = _read_by("text_gates", self.text_gates)
        yield from _unwritten(wanted, written, "none of the text_judges")

    def pinned(self) -> Self:
        """The recipe with every revision and hash of its engines filled in.

        Raises:
            InputError: an engine names what can't be found, or a table can't be read.
        """
        self.need_tables()
        engines = {
            "corpus": self.corpus.pinned(),
            "translation": self.translation.pinned_for(self._pairs()),
            "text_judges": tuple(one.pinned_for(self.languages) for one in self.text_judges),
            "synthesis": self.synthesis.pinned(),
            "watermark": self.watermark and self.watermark.pinned(),
            "judges": tuple(judge.pinned() for judge in self.judges),
        }
        return self.model_copy(update=engines)

    def lacks(self) -> Iterator[Lack]:
        """What its engines need, beside packages and the corpora, and isn't on this machine."""
        yield from self.translation.lacks_for(self._pairs())
        for text_judge in self.text_judges:
            yield from text_judge.lacks_for(self.languages)
        for engine in (self.synthesis, self.watermark, *self.judges):
            if engine is not None:
                yield from engine.lacks()

    def _pairs(self) -> list[tuple[Language, Language]]:
        return [(SOURCE, language) for language in self.languages if language != SOURCE]

    def need_tables(self) -> None:
        """Make sure that the tables of translations and corrections are there, and can be read.

        Raises:
            InputError: one isn't, or the memory has no column for a language.
        """
        if isinstance(self.translation, Memory):
            self.translation.need(self.languages)
        if self.corrections:
            read_table(self.corrections, "corrections")

    def clip_fingerprint(self) -> str:
        """Hash of what shapes a clip; judges, gates, languages and places of files do not."""
        fields = self.model_dump(by_alias=True, include=_SHAPING)
        fields["corpus"] = _without_paths(fields["corpus"])
        return digest(without_machine_paths(to_jsonable_python(fields)))

    @property
    def score_names(self) -> tuple[str, ...]:
        """Every score that the judges of texts and of takes write, in the recipe's order."""
        every = (*self.text_judges, *self.judges)
        return tuple(name for judge in every for name in judge.scores)


def _repeats(field: str, values: list[str]) -> Iterator[str]:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        yield f"{field} names {', '.join(repeated)} more than once"


def _read_by(field: str, gates: Mapping[str, Gate]) -> Iterator[tuple[str, str]]:
    """Each gate's field, and a score that it reads."""
    for name, gate in gates.items():
        for score in gate.score_names:
            yield f"{field}.{name}", score


def _unwritten(
    wanted: Iterable[tuple[str, str]], written: Iterable[str], nobody: str
) -> Iterator[str]:
    known = sorted(set(written))
    for field, score in dict.fromkeys(wanted):
        if score not in known:
            yield (
                f"{field} reads the score '{score}', which {nobody} writes; "
                f"written are: {', '.join(known) or 'none'}"
            )


def published(recipe: Recipe) -> dict[str, object]:
    """The resolved recipe as plain data: every default filled in, no path of this machine.

    A path within the working folder stays as it was given; of any other only the last name is kept.
    """
    fields = recipe.model_dump(mode="json", by_alias=True)
    return {name: without_machine_paths(value) for name, value in fields.items()}


def _without_paths(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_paths(v) for k, v in value.items() if not isinstance(v, Path)}
    if isinstance(value, list | tuple):
        return [_without_paths(item) for item in value]
    return value


def without_machine_paths(value: object) -> object:
    """Plain data whose paths out of the working folder are cut to their last names."""
    if isinstance(value, dict):
        return {key: without_machine_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_machine_paths(item) for item in value]
    if isinstance(value, str) and _leaves_the_folder(value):
        return Path(value).name
    return value


def machine_paths(recipe: Recipe) -> list[str]:
    """The paths of this machine that a recipe names and `published` cuts short, longest first."""
    named = filter(_leaves_the_folder, texts_in(recipe.model_dump(mode="json")))
    return sorted({str(Path.home()), str(Path.cwd()), *named}, key=len, reverse=True)


def texts_in(value: object) -> Iterator[str]:
    """Every text in plain data, however deep; keys aside."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)
    elif isinstance(value, str):
        yield value


def _leaves_the_folder(value: str) -> bool:
    path = Path(value)
    return path.is_absolute() or ".." in path.parts or value.startswith("~")
