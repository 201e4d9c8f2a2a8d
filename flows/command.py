"""`m5ser build`: the flow with its runner and its progress, and what it says at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.build import Workshop, build_dataset
from flows.price import remember
from flows.progress import StageProgress
from flows.runners.base import Runner
from pipeline.languages import language_name
from pipeline.provenance.components import unused_licences
from pipeline.recipe import Recipe, published
from pipeline.selection.choose import CHOICES
from pipeline.store import Store
from pipeline.writing.build import Build

_ERRORS = 10
"""Errors that are said in full; of the others, how many they are."""


@dataclass(frozen=True)
class BuildOutcome:
    """What a build came to."""

    build: Build
    folder: Path
    wall_s: float
    halved: Mapping[str, int] = field(default_factory=dict)
    """By stage, how often in this run memory ran out on a batch, which went on in halves."""

    @property
    def too_many_failed(self) -> bool:
        """Whether failures cost more takes than the recipe allows."""
        return self.build.outcomes.failed_share > self.build.recipe.most_failed

    def warnings(self) -> Iterator[str]:
        """What a person should know that is no row's, in sentences."""
        if self.build.unfitted:
            yield (
                f"judge 'probe' was not fitted in this dry run: {self.build.unfitted}; its scores "
                "are missing, and a missing score passes no gate"
            )
        if self.build.limit is None:  # a dry run's few utterances tell nothing of the corpus
            yield from self.build.division.shortfalls
        for name in unused_licences(published(self.build.recipe)):
            yield (
                f"licences: '{name}' names nothing in this recipe whose licence is unknown: name a "
                "model or file as the recipe does, or by the last part of its path"
            )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        outcomes = self.build.outcomes
        reasons = Counter(d.reason for d in outcomes.decisions.values() if d.reason)
        return {
            "folder": str(self.folder),
            "kept": outcomes.kept,
            "rejected": len(outcomes.decisions) - outcomes.kept,
            "reasons": dict(reasons.most_common()),
            "failed": len(outcomes.failures),
            "unspoken": outcomes.unspoken,
            "dropped_labels": dict(self.build.intake.dropped),
            "texts_withheld": self.build.intake.withheld,
            "halved": dict(self.halved),
            "warnings": list(self.warnings()),
            "wall_s": round(self.wall_s, 2),
        }

    def print_to(self, console: Console) -> None:
        """For a person: kept, rejected and failed by language, and where to look."""
        console.print(self._table())
        for line in self._errors():
            console.print(line, markup=False)
        if self.build.outcomes.unspoken:
            console.print(
                f"text gates: {self.build.outcomes.unspoken} lines were not spoken; "
                "rejected_lines.parquet has them"
            )
        for label, count in self.build.intake.dropped.items():
            console.print(f"dropped {count}x: the label '{label}' maps to no emotion", markup=False)
        if self.build.intake.withheld:
            console.print(
                f"text: {self.build.intake.withheld} sentences may not be passed on; the set holds "
                "their ids, and neither them nor their translations",
                markup=False,
            )
        for stage, count in self.halved.items():
            console.print(
                f"{stage}: memory ran out {count}x, and batches went on in halves; nothing is "
                "lost, and smaller batches in the recipe would be faster",
                markup=False,
            )
        for warning in self.warnings():
            console.print(f"warning: {warning}", style="yellow", markup=False)
        if self.too_many_failed:
            allowed = f"{self.build.recipe.most_failed:.0%}"
            share = f"{self.build.outcomes.failed_share:.1%}"
            console.print(
                f"error: failures cost {share} of the takes due, and most_failed allows {allowed}: "
                "mend what failed (failures.parquet) and build again, with --retry-failed where "
                "it may pass by itself, or allow more",
                style="red",
            )
        console.print(
            f"{self.folder} in {self.wall_s:.1f} s; listen: {self.folder}/report.html", markup=False
        )

    def _table(self) -> Table:
        """Takes and failed rows by language, what has none apart; spare ones lost to better."""
        counts = self._by_language()
        columns = ("language", "kept", "rejected by gates", "spare", "failed rows")
        table = Table(*columns, title=self.build.recipe.name)
        for language in self.build.recipe.languages:
            table.add_row(language_name(language), *(str(one[language]) for one in counts))
        if at_the_door := counts[-1][""]:
            table.add_row("before any", "", "", "", str(at_the_door))
        table.add_row("all", *(str(one.total()) for one in counts))
        return table

    def _by_language(self) -> tuple[Counter[str], ...]:
        """Takes that were kept, rejected by gates, and spare; and rows that failed."""
        kept: Counter[str] = Counter()
        rejected: Counter[str] = Counter()
        spare: Counter[str] = Counter()
        for take_id, decision in self.build.outcomes.decisions.items():
            passed = spare if decision.reason in CHOICES else rejected
            counts = kept if decision.reason is None else passed
            counts[take_id.rsplit(".", 2)[1]] += 1
        failed = Counter(row.language or "" for row in self.build.outcomes.failures)
        return kept, rejected, spare, failed

    def _errors(self) -> list[str]:
        """The most frequent errors, and how much is not said of the others."""
        errors = Counter(f"{row.stage}: {row.error}" for row in self.build.outcomes.failures)
        lines = [f"failed {count}x: {error}" for error, count in errors.most_common(_ERRORS)]
        others = errors.most_common()[_ERRORS:]
        if others:
            rows = sum(count for _, count in others)
            lines.append(f"failed {rows}x: {len(others)} other errors; see failures.parquet")
        return lines


def run_build(
    recipe: Recipe,
    folder: Path,
    store: Store,
    limit: int | None,
    opening: AbstractContextManager[Runner],
    console: Console,
    *,
    retry: bool = False,
) -> BuildOutcome:
    """Build a dataset folder where a runner, opened for it and closed at the end, does the work.

    `retry`: what failed in an earlier build is tried again.
    """
    started = time.monotonic()
    progress = StageProgress(console)
    recipe = recipe.pinned()
    with opening as runner, progress.running():
        workshop = Workshop(store, recipe, runner, progress)
        build = build_dataset(workshop, folder, limit, retry=retry)
    remember(store, recipe, progress.totals)
    halved = dict(+progress.halved)
    return BuildOutcome(build, folder, time.monotonic() - started, halved)
