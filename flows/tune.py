"""`m5ser tune`: hold a finished set's scores against other gates, in seconds and without audio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from pipeline.dataset.candidates import read_candidates
from pipeline.dataset.reading import DatasetFolder, damage_named, open_folder
from pipeline.dataset.writing import BadFolder
from pipeline.errors import InputError
from pipeline.recipe import Recipe, published
from pipeline.recipe_file import parse_recipe
from pipeline.selection.choose import decide

_DECIDING = ("gates", "selection")
"""Fields of a recipe that decide over takes when they are finished."""


@dataclass(frozen=True)
class Tuned:
    """Kept takes by (language, emotion), before and after, and what each reason removes."""

    before: Counter[tuple[str, str]]
    after: Counter[tuple[str, str]]
    reasons: Counter[str]

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Every (language, emotion) that a take is kept of, before or after."""
        return sorted({*self.before, *self.after})

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "kept_before": sum(self.before.values()),
            "kept_after": sum(self.after.values()),
            "reasons": dict(self.reasons.most_common()),
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
        """For a person: a row an emotion, a column a language, before -> after."""
        languages = sorted({language for language, _ in self.cells})
        table = Table("", *languages, title="kept takes: before -> after")
        for emotion in sorted({emotion for _, emotion in self.cells}):
            keys = [(language, emotion) for language in languages]
            table.add_row(emotion, *(f"{self.before[k]} -> {self.after[k]}" for k in keys))
        console.print(table)
        for reason, count in self.reasons.most_common():
            console.print(f"{reason}: rejects {count}", markup=False)


def tune_folder(folder: Path, overrides: Sequence[str], write: Path | None) -> Tuned:
    """Decide a folder's takes again under its recipe with overrides; nothing in it changes.

    Raises:
        BadFolder: it is no dataset folder.
        InputError: it is a part of a set, or damaged; an override is wrong, or of a field that
            decides nothing here.
    """
    _check(overrides)
    if not (folder / "recipe.yaml").is_file():
        raise BadFolder(f"'{folder}' is no dataset folder: it has no recipe.yaml")
    recipe = parse_recipe((folder / "recipe.yaml").read_text(encoding="utf-8"), overrides)
    with damage_named(folder), open_folder(folder, published(recipe)) as dataset:
        if dataset.build.get("part"):
            raise InputError(
                f"'{folder}' is a part of a set, without what was rejected: tune the whole set"
            )
        tuned = _tuned(dataset, recipe)
    if write:
        text = yaml.safe_dump(published(recipe), sort_keys=False, allow_unicode=True)
        write.write_text(text, encoding="utf-8")
    return tuned


def _tuned(dataset: DatasetFolder, recipe: Recipe) -> Tuned:
    if not dataset.value("SELECT count(*) FROM takes"):
        return Tuned(Counter(), Counter(), Counter())
    wanted = [name for gate in recipe.gates.values() for name in gate.score_names]
    candidates, columns = read_candidates(dataset, [*wanted, *recipe.selection.utility])
    decisions = decide(candidates, recipe.gates, recipe.selection)
    cells = list(zip(columns["language"].tolist(), columns["emotion"].tolist(), strict=True))
    return Tuned(
        Counter(cell for cell, said in zip(cells, columns["said"], strict=True) if not said),
        Counter(cell for cell, one in zip(cells, decisions, strict=True) if one.reason is None),
        Counter(one.reason for one in decisions if one.reason),
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
