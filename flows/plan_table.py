"""A plan: the bill of a build, as data and as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Bill:
    """What a stage costs with one engine: hours of a device, and where the figure is from."""

    stage: str
    engine: str
    device: str
    hours: float
    source: str


@dataclass(frozen=True)
class Plan:
    """The bill of a build; hours, time and disk are estimates from the length of the texts.

    `absent`: corpora that are not here, counted as published. `build_hours` is with all cores of
    this machine, and one GPU where `gpu_hours` are due.
    """

    recipe: str
    utterances: int
    with_recording: int
    speakers: int
    emotions: dict[str, int]
    dropped_labels: dict[str, int]
    refused: list[str]
    absent: list[str]
    absent_utterances: int
    languages: tuple[str, ...]
    lines: int
    takes: int
    speech_hours: float
    bills: tuple[Bill, ...]
    core_hours: float
    gpu_hours: float
    build_hours: float
    disk_mb: float
    licence: str
    licence_reasons: tuple[str, ...]
    texts_withheld: int
    command: str | None
    """The outside program that the recipe wants to run here."""
    warnings: tuple[str, ...]
    """That too much would fail, and what the corpus can't give the set (not told of a dry run)."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)

    def print_to(self, console: Console) -> None:
        """For a person."""
        console.print(_table(self))
        console.print(_bill_table(self))
        for note in _notes(self):
            console.print(note, markup=False, highlight=False, soft_wrap=True)


def _table(plan: Plan) -> Table:
    table = Table(title=f"plan of {plan.recipe}", show_header=False)
    emotions = ", ".join(f"{name} {count}" for name, count in plan.emotions.items())
    counted, only_here = "", ""
    if plan.absent:
        counted = f"; {plan.absent_utterances} are not here, and counted as published"
        only_here = " (of the corpora that are here)"
    gpu = f", {plan.gpu_hours:.1f} h of a GPU" if plan.gpu_hours else ""
    for name, value in (
        ("utterances", f"{plan.utterances}, {plan.with_recording} with a recording{counted}"),
        ("speakers", str(plan.speakers)),
        ("emotions", f"{emotions}{only_here}" if emotions else "as the corpora have them"),
        ("languages", " ".join(plan.languages)),
        ("work", f"{plan.lines} lines, {plan.takes} takes"),
        ("speech", f"about {plan.speech_hours:.2f} h in all takes"),
        ("cost", f"about {plan.core_hours:.2f} h of a CPU core{gpu}"),
        ("time", f"about {_duration(plan.build_hours)} {_where(plan)}"),
        (
            "disk",
            f"about {plan.disk_mb:.0f} MB, work store and dataset, without models' weights",
        ),
        ("licence", plan.licence),
    ):
        table.add_row(name, value)
    return table


def _duration(hours: float) -> str:
    return f"{hours * 60:.1f} min" if hours < 2 else f"{hours:.1f} h"


def _where(plan: Plan) -> str:
    return "on this machine's cores" + (" and one GPU" if plan.gpu_hours else "")


def _bill_table(plan: Plan) -> Table:
    table = Table("stage", "engine", "device", "hours", "by", title="where the time goes")
    for bill in plan.bills:
        if bill.hours:
            table.add_row(bill.stage, bill.engine, bill.device, f"{bill.hours:.2f}", bill.source)
    return table


def _notes(plan: Plan) -> Iterator[str]:
    if plan.command is not None:
        yield f"would run, if you build with --allow-commands: {plan.command}"
    for absent in plan.absent:
        yield f"not on this machine: {absent}"
    for reason in plan.licence_reasons:
        yield f"licence: {reason}"
    for warning in plan.warnings:
        yield f"warning: {warning}"
    if plan.texts_withheld:
        yield (
            f"text: {plan.texts_withheld} sentences may not be passed on; the set will hold their "
            "ids, and neither them nor their translations"
        )
    for label, count in plan.dropped_labels.items():
        yield f"dropped {count}x: the label '{label}' maps to no emotion"
    for error in plan.refused[:10]:
        yield f"would fail: {error}"
    if len(plan.refused) > 10:
        yield f"would fail: {len(plan.refused) - 10} more"
