"""A plan as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from flows.plan import Plan


def print_plan(plan: Plan, console: Console) -> None:
    """For a person."""
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
    console.print(table)
    console.print(_bill_table(plan))
    for note in _notes(plan):
        console.print(note, markup=False, highlight=False, soft_wrap=True)


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
