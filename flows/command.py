"""`m5ser build`: the flow with its runner and its progress, and what it says at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
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
from pipeline.dataset.writing import Build
from pipeline.languages import language_name
from pipeline.recipe import Recipe
from pipeline.work.store import Store


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
        """Whether more rows failed than the recipe allows."""
        return self.build.outcomes.failed_share > self.build.recipe.most_failed

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
            "dropped_labels": dict(self.build.intake.dropped),
            "texts_withheld": self.build.intake.withheld,
            "halved": dict(self.halved),
            "wall_s": round(self.wall_s, 2),
        }

    def print_to(self, console: Console) -> None:
        """For a person: kept, rejected and failed by language, and where to look."""
        table = Table("language", "kept", "rejected", "failed", title=self.build.recipe.name)
        kept, rejected, failed = self._by_language()
        for language in self.build.recipe.languages:
            table.add_row(
                language_name(language),
                *(str(counts[language]) for counts in (kept, rejected, failed)),
            )
        console.print(table)
        for stage_error, count in self._errors():
            console.print(f"failed {count}x: {stage_error}", markup=False)
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
        if self.too_many_failed:
            allowed = f"{self.build.recipe.most_failed:.0%}"
            share = f"{self.build.outcomes.failed_share:.1%}"
            console.print(f"{share} of the rows failed; most_failed allows {allowed}", style="red")
        console.print(f"{self.folder} in {self.wall_s:.1f} s; listen: {self.folder}/report.html")

    def _by_language(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        kept: Counter[str] = Counter()
        rejected: Counter[str] = Counter()
        for take_id, decision in self.build.outcomes.decisions.items():
            counts = kept if decision.reason is None else rejected
            counts[take_id.rsplit(".", 2)[1]] += 1
        failed = Counter(row.language or "" for row in self.build.outcomes.failures)
        return kept, rejected, failed

    def _errors(self) -> list[tuple[str, int]]:
        errors = Counter(f"{row.stage}: {row.error}" for row in self.build.outcomes.failures)
        return errors.most_common(10)


def run_build(
    recipe: Recipe,
    folder: Path,
    store: Store,
    limit: int | None,
    opening: AbstractContextManager[Runner],
    console: Console,
) -> BuildOutcome:
    """Build a dataset folder where a runner, opened for it and closed at the end, does the work."""
    started = time.monotonic()
    progress = StageProgress(console)
    recipe = recipe.pinned()
    with opening as runner, progress.running():
        build = build_dataset(Workshop(store, recipe, runner, progress), folder, limit)
    remember(store, recipe, progress.totals)
    halved = dict(+progress.halved)
    return BuildOutcome(build, folder, time.monotonic() - started, halved)
