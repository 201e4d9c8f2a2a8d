"""`m5ser plan`: what a build would do and cost, without doing it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.components import components_of, may_pass_on_text
from pipeline.corpora.base import Dropped, Unreadable
from pipeline.provenance import check_claim, resulting_licence
from pipeline.recipe import Recipe, published
from pipeline.records import Utterance
from pipeline.stages.measure import text_error

_CHARACTERS_PER_S = 14.0
"""Of the Latin-script languages (assumed); recordings would say better and are not opened."""
_OVERHEAD_S = 0.3
_BYTES_PER_S = 20_000
"""16 kHz FLAC of the embedded voices, as `m5ser build` writes it."""
_CORE_S_PER_TAKE_S = 0.2
"""Seconds of one core for a second of a take, synthesis and all embedded judges together."""


@dataclass(frozen=True)
class Plan:
    """The bill of a build; hours, time and disk are estimates from the length of the texts."""

    recipe: str
    utterances: int
    with_recording: int
    speakers: int
    emotions: dict[str, int]
    dropped_labels: dict[str, int]
    refused: list[str]
    languages: tuple[str, ...]
    batches: int
    lines: int
    takes: int
    speech_hours: float
    build_minutes: float
    disk_mb: float
    licence: str
    licence_reasons: tuple[str, ...]
    texts_withheld: int

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def make_plan(recipe: Recipe, limit: int | None) -> Plan:
    """Read the corpus' list, but no recording, and add up.

    Raises:
        InputError: the corpus is missing, or the licence claimed is laxer than it may be.
    """
    utterances: list[Utterance] = []
    dropped: Counter[str] = Counter()
    refused: list[str] = []
    for entry in recipe.corpus.read():
        if isinstance(entry, Dropped):
            dropped[entry.label] += 1
        elif isinstance(entry, Unreadable):
            refused.append(entry.error)
        elif error := text_error(entry.text, recipe.corpus.door):
            refused.append(f"{entry.id}: {error}")
        elif limit is None or len(utterances) < limit:
            utterances.append(entry)
    lines = len(utterances) * len(recipe.languages)
    speech_s = sum(_seconds(utterances)) * len(recipe.languages) * recipe.takes
    licence = resulting_licence(
        components_of(published(recipe)), sorted({one.licence for one in utterances})
    )
    check_claim(recipe.licence, licence)
    cores = len(os.sched_getaffinity(0))
    return Plan(
        recipe=recipe.name,
        utterances=len(utterances),
        with_recording=sum(one.recording is not None for one in utterances),
        speakers=len({one.speaker for one in utterances}),
        emotions=dict(sorted(Counter(one.emotion for one in utterances).items())),
        dropped_labels=dict(dropped),
        refused=refused,
        languages=recipe.languages,
        batches=-(-len(utterances) // recipe.batch_size) * len(recipe.languages),
        lines=lines,
        takes=lines * recipe.takes,
        speech_hours=round(speech_s / 3600, 3),
        build_minutes=round(speech_s * _CORE_S_PER_TAKE_S / cores / 60, 1),
        disk_mb=round(2 * speech_s * _BYTES_PER_S / 1e6, 1),
        licence=licence.spdx,
        licence_reasons=licence.reasons,
        texts_withheld=sum(not may_pass_on_text(one.corpus, one.licence) for one in utterances),
    )


def _seconds(utterances: list[Utterance]) -> Iterator[float]:
    for utterance in utterances:
        yield len(utterance.text) / _CHARACTERS_PER_S + _OVERHEAD_S


def print_plan(plan: Plan, console: Console) -> None:
    """For a person."""
    table = Table(title=f"plan of {plan.recipe}", show_header=False)
    emotions = ", ".join(f"{name} {count}" for name, count in plan.emotions.items())
    for name, value in (
        ("utterances", f"{plan.utterances}, {plan.with_recording} with a recording"),
        ("speakers", str(plan.speakers)),
        ("emotions", emotions),
        ("languages", " ".join(plan.languages)),
        ("work", f"{plan.lines} lines, {plan.takes} takes, {plan.batches} batches a stage"),
        ("speech", f"about {plan.speech_hours:.2f} h in all takes"),
        ("time", f"about {plan.build_minutes:.1f} min on this machine's cores"),
        ("disk", f"about {plan.disk_mb:.0f} MB, work store and dataset together"),
        ("licence", plan.licence),
    ):
        table.add_row(name, value)
    console.print(table)
    for reason in plan.licence_reasons:
        console.print(f"licence: {reason}", markup=False)
    if plan.texts_withheld:
        console.print(
            f"text: {plan.texts_withheld} sentences may not be passed on; the set will hold their "
            "ids, and neither them nor their translations",
            markup=False,
        )
    for label, count in plan.dropped_labels.items():
        console.print(f"dropped {count}x: the label '{label}' maps to no emotion", markup=False)
    for error in plan.refused[:10]:
        console.print(f"would fail: {error}", markup=False)
    if len(plan.refused) > 10:
        console.print(f"would fail: {len(plan.refused) - 10} more")
