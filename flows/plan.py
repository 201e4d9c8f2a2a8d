"""`m5ser plan`: what a build would do and cost, without doing it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain, islice

from flows.plan_table import Bill, Plan
from flows.price import measured_prices
from pipeline.audio import is_there
from pipeline.corpora.base import Corpus, CorpusMissing, Door
from pipeline.engine import Engine
from pipeline.languages import SOURCE
from pipeline.needs import Price
from pipeline.provenance.components import components_of, ledger, may_pass_on_text
from pipeline.provenance.terms import check_claim, resulting_licence
from pipeline.recipe import Recipe, published
from pipeline.records import Utterance
from pipeline.selection.splits import assign_splits
from pipeline.stages.measure import text_error
from pipeline.store import Store
from pipeline.synthesis.command import Command
from pipeline.translation.memory import Memory
from pipeline.translation.table import pairs, read_table
from pipeline.work.census import assign_voices
from pipeline.work.intake import Intake, admitted
from pipeline.work.shortfalls import shortfalls

_CHARACTERS_PER_S = 14.0
"""Of the Latin-script languages (assumed); recordings would say better and are not opened."""
_OVERHEAD_S = 0.3
_BYTES_PER_SAMPLE = 1.25
"""FLAC of the embedded voices at 16 kHz, as `m5ser build` writes it."""
_SAME = 0.8
"""Likeness from which one sentence may be meant by another (assumed): a stop, a quote, a letter."""
_PROSODY = Price("cpu", 0.1, "speech_s", "assumed, of one core")
"""Prosody transfer by vocoder."""


@dataclass
class _Count:
    """What the corpora come to: the intake as a build's, and of its utterances those that it takes.

    `refused`: texts and recordings that the door won't let in, and why.
    """

    intake: Intake = field(default_factory=Intake)
    utterances: list[Utterance] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    absent_utterances: int = 0
    absent_speakers: int = 0
    absent_speech_s: float = 0.0
    absent_withheld: int = 0

    @property
    def total(self) -> int:
        """Utterances, listed or as published."""
        return len(self.utterances) + self.absent_utterances

    def room(self, limit: int | None) -> int | None:
        """How many utterances a limit leaves (None: any number)."""
        taken = len(self.intake.ids) + self.absent_utterances
        return None if limit is None else limit - taken

    @property
    def speech_s(self) -> float:
        """Seconds that one reading of every utterance takes."""
        listed = (len(one.text) / _CHARACTERS_PER_S + _OVERHEAD_S for one in self.utterances)
        return sum(listed) + self.absent_speech_s

    @property
    def withheld(self) -> int:
        """Utterances whose text may not be passed on."""
        return self.intake.withheld + self.absent_withheld


def make_plan(recipe: Recipe, limit: int | None, store: Store | None = None) -> Plan:
    """List the corpora, but open no recording, and add up; what would surely fail is `refused`.

    `store`: a work store in which earlier builds may have written how fast their engines are.

    Raises:
        InputError: a corpus is missing whose size is not published, a table of translations can't
            be read, or the licence claimed is laxer than it may be.
    """
    recipe.need_tables()
    count = _count(recipe, limit)
    lines = count.total * len(recipe.languages)
    speech_s = count.speech_s * len(recipe.languages) * recipe.takes
    licence = resulting_licence(components_of(published(recipe)), sorted(count.intake.licences))
    check_claim(recipe.licence, licence)
    bills = tuple(_bills(recipe, lines, speech_s, measured_prices(store, recipe) if store else {}))
    core_hours = sum(bill.hours for bill in bills if bill.device == "cpu")
    gpu_hours = sum(bill.hours for bill in bills if bill.device != "cpu")
    lacking = _untranslated(recipe, count.utterances)
    return Plan(
        recipe=recipe.name,
        utterances=count.total,
        with_recording=sum(one.recording is not None for one in count.utterances),
        speakers=len({one.speaker for one in count.utterances}) + count.absent_speakers,
        emotions=dict(sorted(Counter(one.emotion for one in count.utterances).items())),
        dropped_labels=dict(count.intake.dropped),
        refused=[
            *(one.error for one in count.intake.unreadable),
            *count.refused,
            *(one.error for one in lacking),
        ],
        absent=count.absent,
        absent_utterances=count.absent_utterances,
        languages=recipe.languages,
        lines=lines,
        takes=lines * recipe.takes,
        speech_hours=round(speech_s / 3600, 3),
        bills=bills,
        core_hours=round(core_hours, 3),
        gpu_hours=round(gpu_hours, 3),
        build_hours=round(core_hours / len(os.sched_getaffinity(0)) + gpu_hours, 3),
        disk_mb=round(disk_bytes(recipe, speech_s) / 1e6, 1),
        licence=licence.spdx,
        licence_reasons=licence.reasons,
        texts_withheld=count.withheld,
        command=recipe.synthesis.in_words if isinstance(recipe.synthesis, Command) else None,
        warnings=(
            *_too_many(recipe, count, sum(one.lines for one in lacking)),
            *([] if limit or count.absent else _shortfalls(recipe, count.utterances)),
        ),
    )


def _too_many(recipe: Recipe, count: _Count, untranslated: int) -> Iterator[str]:
    """That a build would end with status 1, by the takes that it would count as lost.

    What the door refuses costs every take of an utterance, a line without translation its own.
    """
    refused = len(count.intake.unreadable) + len(count.refused)
    each = len(recipe.languages) * recipe.takes
    lost = refused * each + untranslated * recipe.takes
    due = (refused + count.total) * each
    if lost > recipe.most_failed * due:
        yield (
            f"most_failed: {lost} of {due} takes would fail, and it allows "
            f"{recipe.most_failed:.0%}: the build would end with status 1"
        )


def _shortfalls(recipe: Recipe, utterances: Sequence[Utterance]) -> list[str]:
    genders = {one.speaker: one.gender for one in reversed(utterances)}
    voices = assign_voices(recipe, genders)
    speakers = [one.speaker for one in utterances]
    splits = assign_splits(
        [one.id for one in utterances],
        speakers,
        [voices[speaker] for speaker in speakers],
        [[one.text for one in utterances]],
        [(one.emotion, one.gender) for one in utterances],
        recipe.splits,
    )
    recorded = ((one.speaker, one.emotion) for one in utterances if one.recording)
    return shortfalls(recipe, splits, recorded)


def disk_bytes(recipe: Recipe, speech_s: float) -> float:
    """What takes of so many seconds need, in the work store and in the dataset."""
    return 2 * speech_s * recipe.sampling_rate * _BYTES_PER_SAMPLE


def _count(recipe: Recipe, limit: int | None) -> _Count:
    count = _Count()
    for corpus in recipe.corpus.members:
        try:
            entries = corpus.read()
            # The first is read also where a limit leaves no room: that the corpus is not here.
            opened = chain(list(islice(entries, 1)), entries)
            for utterance in islice(admitted(opened, count.intake), count.room(limit)):
                _add(count, utterance, recipe.corpus.door)
        except CorpusMissing:
            if corpus.documented is None:
                # By the corpus as a whole, which names the field as it stands in the recipe.
                next(iter(recipe.corpus.read()), None)
                raise
            _add_published(count, corpus, count.room(limit))
    return count


def _add(count: _Count, utterance: Utterance, door: Door) -> None:
    if error := text_error(utterance.text, door):
        count.refused.append(f"{utterance.id}: {error}")
    elif utterance.recording and not is_there(utterance.recording.path):
        count.refused.append(f"{utterance.id}: '{utterance.recording.path}' is not a file")
    else:
        count.utterances.append(utterance)


def _add_published(count: _Count, corpus: Corpus, room: int | None) -> None:
    """Count a corpus that is not here by its published size, as far as there is room."""
    size = corpus.documented
    name = corpus.engine
    if size is None:
        raise ValueError(f"nothing is published of the size of '{name}'")
    taken = size.utterances if room is None else min(size.utterances, room)
    count.absent.append(f"{name}: {size.utterances} utterances as published ({size.source})")
    count.absent_utterances += taken
    count.absent_speakers += min(size.speakers, taken)
    count.absent_speech_s += size.speech_hours * 3600 * taken / size.utterances
    licence = ledger()["corpus", name].licence or ""
    count.absent_withheld += 0 if may_pass_on_text(name, licence) else taken


@dataclass(frozen=True)
class _Lacking:
    """How many lines a translation memory has not in a language, and which, in a sentence."""

    lines: int
    error: str


def _untranslated(recipe: Recipe, utterances: Sequence[Utterance]) -> list[_Lacking]:
    """What a translation memory lacks, by language."""
    found: list[_Lacking] = []
    if not isinstance(recipe.translation, Memory):
        return found
    known = recipe.translation.known()
    table = read_table(recipe.corrections, "corrections") if recipe.corrections else []
    for language in recipe.languages:
        if language == SOURCE:
            continue
        there = known(SOURCE, language) | pairs(table, SOURCE, language)
        lacking = [one.text.strip() for one in utterances if one.text.strip() not in there]
        if lacking:
            sentences = list(dict.fromkeys(lacking))
            close = get_close_matches(sentences[0], there, n=1, cutoff=_SAME)
            error = (
                f"{len(lacking)} lines: the memory has no {language} translation of "
                f"{len(sentences)} sentences, the first: {sentences[0]}"
                + (f" (it has: {close[0]})" if close else "")
            )
            found.append(_Lacking(len(lacking), error))
    return found


def _bills(
    recipe: Recipe, lines: int, speech_s: float, measured: dict[str, list[Price]]
) -> Iterator[Bill]:
    engines: dict[str, Sequence[Engine]] = {
        "translate": (recipe.translation,),
        "check": recipe.text_judges,
        "synthesize": (recipe.synthesis,),
        "judge": recipe.judges,
    }
    for stage, used in engines.items():
        if stage in measured:
            names = ", ".join(one.title for one in used)
            for price in measured[stage]:
                yield _bill(stage, names, price, lines, speech_s)
            continue
        for one in used:
            for name, price in one.prices().items():
                yield _bill(stage, name, price, lines, speech_s)
        if stage == "synthesize" and recipe.prosody.origin != "none":
            yield _bill(stage, "prosody transfer", _PROSODY, lines, speech_s)


def _bill(stage: str, engine: str, price: Price, lines: int, speech_s: float) -> Bill:
    units = lines if price.per == "line" else speech_s
    return Bill(stage, engine, price.device, round(units * price.seconds / 3600, 4), price.source)
