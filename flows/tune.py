"""`m5ser tune`: hold a finished set's scores against other gates, in seconds and without audio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from rich.console import Console
from rich.table import Table

from pipeline.dataset.writing import BadFolder
from pipeline.errors import InputError
from pipeline.recipe import Recipe, published
from pipeline.recipe_file import parse_recipe
from pipeline.selection.choose import DUPLICATE, Candidates, Decision, decide

_DECIDING = ("gates", "selection")
"""Fields of a recipe that decide over takes when they are finished."""
_COLUMNS = ["take_id", "source_id", "language", "emotion", "scores"]


@dataclass(frozen=True)
class Tuned:
    """Kept takes by (language, emotion), before and after, and what each reason removes."""

    before: Counter[tuple[str, str]]
    after: Counter[tuple[str, str]]
    reasons: Counter[str]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "kept_before": sum(self.before.values()),
            "kept_after": sum(self.after.values()),
            "reasons": dict(self.reasons.most_common()),
            "cells": [
                {"language": cell[0], "emotion": cell[1], "before": self.before[cell], "after": n}
                for cell, n in sorted((self.after | Counter(dict.fromkeys(self.before, 0))).items())
            ],
        }

    def print_to(self, console: Console) -> None:
        """For a person: a row an emotion, a column a language, before -> after."""
        cells = set(self.before) | set(self.after)
        languages = sorted({language for language, _ in cells})
        table = Table("", *languages, title="kept takes: before -> after")
        for emotion in sorted({emotion for _, emotion in cells}):
            keys = [(language, emotion) for language in languages]
            table.add_row(emotion, *(f"{self.before[k]} -> {self.after[k]}" for k in keys))
        console.print(table)
        for reason, count in self.reasons.most_common():
            console.print(f"{reason}: rejects {count}", markup=False)


def tune_folder(folder: Path, overrides: Sequence[str], write: Path | None) -> Tuned:
    """Decide a folder's takes again under its recipe with overrides; nothing in it changes.

    Raises:
        BadFolder: it is no dataset folder.
        InputError: an override is wrong, or of a field that decides nothing here.
    """
    _check(overrides)
    if not (folder / "recipe.yaml").is_file():
        raise BadFolder(f"'{folder}' is no dataset folder: it has no recipe.yaml")
    recipe = parse_recipe((folder / "recipe.yaml").read_text(encoding="utf-8"), overrides)
    kept, rejected = _read(folder, "data"), _read(folder, "rejects")
    # Rows of equal audio were told apart by hash, which the folder doesn't hold: they stay out.
    open_rows = rejected.filter(pa.compute.not_equal(rejected["reason"], DUPLICATE))
    parts = [kept.select(_COLUMNS), open_rows.select(_COLUMNS)]
    everything = pa.concat_tables(parts, promote_options="default")  # of none, columns have no type
    decisions = _decisions(everything, recipe)
    cells = list(
        zip(everything["language"].to_pylist(), everything["emotion"].to_pylist(), strict=True)
    )
    if write:
        text = yaml.safe_dump(published(recipe), sort_keys=False, allow_unicode=True)
        write.write_text(text, encoding="utf-8")
    return Tuned(
        Counter(cells[: kept.num_rows]),
        Counter(c for c, d in zip(cells, decisions, strict=True) if d.reason is None),
        Counter(d.reason for d in decisions if d.reason),
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


def _decisions(rows: pa.Table, recipe: Recipe) -> Sequence[Decision]:
    if not rows.num_rows:  # nor have their columns a type
        return []
    return decide(_candidates(rows, recipe), recipe.gates, recipe.selection)


def _read(folder: Path, part: str) -> pa.Table:
    columns = [*_COLUMNS, "reason"] if part == "rejects" else _COLUMNS
    shards = sorted((folder / part).rglob("*.parquet"))
    tables = [pq.read_table(shard, columns=columns) for shard in shards]
    if tables:
        return pa.concat_tables(tables)
    return pa.table({name: [] for name in columns})


def _candidates(rows: pa.Table, recipe: Recipe) -> Candidates:
    ids = rows["take_id"].to_pylist()
    languages = rows["language"].to_pylist()
    sources = rows["source_id"].to_pylist()
    lines = [f"{source}/{language}" for source, language in zip(sources, languages, strict=True)]
    scores = rows["scores"].combine_chunks()
    columns = {
        name: np.array(scores.field(name).to_pylist(), dtype=np.float64)
        for name in recipe.score_names
    }
    return Candidates(
        ids, lines, np.array(languages, dtype=object), rows["emotion"].to_pylist(), ids, columns
    )
