"""`m5ser tune`: hold a finished set against other gates, by the scores that its judges wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from pipeline.cards.rules import describe
from pipeline.dataset.candidates import read_candidates
from pipeline.dataset.layout import RECIPE
from pipeline.dataset.reading import BadFolder, DatasetFolder, damage_named, open_folder
from pipeline.errors import InputError
from pipeline.plain import plain
from pipeline.recipe import Recipe, published
from pipeline.recipe_file import parse_recipe
from pipeline.selection.choose import decide
from pipeline.selection.gates import Gate

ALL = "all"
_DECIDING = ("gates", "selection")
"""Fields of a recipe that decide over takes when they are finished."""


@dataclass(frozen=True)
class Tuned:
    """What other gates do: takes kept by (language, emotion) and rejected by reason, before, after.

    `rules`: of each gate that changes what it asks for now, in words.
    """

    before: Counter[tuple[str, str]]
    after: Counter[tuple[str, str]]
    reasons_before: Counter[str]
    reasons: Counter[str]
    rules: dict[str, str]

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Every (language, emotion) that a take is kept of, before or after."""
        return sorted({*self.before, *self.after})

    def as_dict(self) -> dict[str, Any]:
        """For `--json`; a take counts at the first gate that it failed."""
        return {
            "kept_before": sum(self.before.values()),
            "kept_after": sum(self.after.values()),
            "reasons_before": dict(self.reasons_before.most_common()),
            "reasons": dict(self.reasons.most_common()),
            "rules": self.rules,
            "cells": [
                {
                    "language": cell[0],
                    "emotion": cell[1],
                    "before": self.before[cell],
                    "after": self.after[cell],
                }
                for cell in self.cells
            ],
        }

    def print_to(self, console: Console) -> None:
        """For a person: the kept as a table with totals, what changed, what each reason rejects."""
        console.print(self._table())
        for name, rule in self.rules.items():
            console.print(plain(f"{name} asks now: {rule}"), markup=False)
        total = f"{self.reasons_before.total()} -> {self.reasons.total()}"
        console.print(f"rejected: {total}, each take at the first gate that it failed")
        reasons = {**self.reasons_before, **self.reasons}
        for reason in sorted(reasons, key=lambda one: (-self.reasons[one], one)):
            counts = f"{self.reasons_before[reason]} -> {self.reasons[reason]}"
            console.print(plain(f"- {reason}: {counts}"), markup=False)

    def _table(self) -> Table:
        """A row an emotion, a column a language, and their totals."""
        languages = sorted({language for language, _ in self.cells})
        emotions = sorted({emotion for _, emotion in self.cells})
        table = Table("", *languages, ALL, title="kept takes: before -> after")
        for emotion in (*emotions, ALL):
            table.add_row(emotion, *(self._change(one, emotion) for one in (*languages, ALL)))
        return table

    def _change(self, language: str, emotion: str) -> str:
        """The kept of a cell, or of several where one of both is all, before -> after."""
        cells = [
            cell for cell in self.cells if language in (cell[0], ALL) and emotion in (cell[1], ALL)
        ]
        before, after = (sum(kept[cell] for cell in cells) for kept in (self.before, self.after))
        return f"{before}->{after}"


def tune_folder(folder: Path, overrides: Sequence[str], write: Path | None) -> Tuned:
    """Decide a folder's takes again under its recipe with overrides; nothing in it changes.

    Raises:
        BadFolder: it is no dataset folder.
        InputError: it is a part of a set, or damaged; an override is wrong, or of a field that
            decides nothing here.
    """
    _check(overrides)
    if not (folder / RECIPE).is_file():
        raise BadFolder(f"'{folder}' is no dataset folder: it has no recipe.yaml")
    text = (folder / RECIPE).read_text(encoding="utf-8")
    recipe = parse_recipe(text, overrides)
    rules = _changed(parse_recipe(text).gates, recipe.gates)
    with damage_named(folder), open_folder(folder, published(recipe)) as dataset:
        if dataset.build.get("part"):
            raise InputError(
                f"'{folder}' is a part of a set, without what was rejected: tune the whole set"
            )
        tuned = _tuned(dataset, recipe, rules)
    if write:
        text = yaml.safe_dump(published(recipe), sort_keys=False, allow_unicode=True)
        write.write_text(text, encoding="utf-8")
    return tuned


def _changed(before: Mapping[str, Gate], after: Mapping[str, Gate]) -> dict[str, str]:
    """Of each gate that is not as it was, what it asks for now."""
    return {
        name: describe(after[name]) if name in after else "nothing more"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }


def _tuned(dataset: DatasetFolder, recipe: Recipe, rules: dict[str, str]) -> Tuned:
    if not dataset.value("SELECT count(*) FROM takes"):
        return Tuned(Counter(), Counter(), Counter(), Counter(), rules)
    wanted = [name for gate in recipe.gates.values() for name in gate.score_names]
    candidates, columns = read_candidates(dataset, [*wanted, *recipe.selection.utility])
    decisions = decide(candidates, recipe.gates, recipe.selection)
    cells = list(zip(columns["language"].tolist(), columns["emotion"].tolist(), strict=True))
    said = columns["said"].tolist()
    return Tuned(
        before=Counter(cell for cell, reason in zip(cells, said, strict=True) if not reason),
        after=Counter(cell for cell, one in zip(cells, decisions, strict=True) if not one.reason),
        reasons_before=Counter(reason for reason in said if reason),
        reasons=Counter(one.reason for one in decisions if one.reason),
        rules=rules,
    )


def _check(overrides: Sequence[str]) -> None:
    """Refuse an override that would change no decision, whatever it says."""
    for override in overrides:
        field = override.partition("=")[0].split(".")[0]
        if field not in _DECIDING:
            raise InputError(
                f"--set '{override}': '{field}' takes effect when a set is built, and these takes "
                f"are finished; tune changes {' and '.join(_DECIDING)}, so give this one to a build"
            )
