"""What a new revision changes: rows by id and hash, gates, and the rest of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

import duckdb
import yaml

from pipeline.cards.templates import markdown
from pipeline.errors import InputError
from pipeline.settings_file import BadRecipe, parse_yaml

CHANGES = "CHANGES.md"
_TITLE = "# Changes\n"
_SETTINGS = 20
_PUT_BACK = (
    "of the revision on the Hub is not what m5ser wrote, so that nobody could say what changes: "
    "put back there the one of the last publish"
)


@dataclass(frozen=True)
class RowCounts:
    """Kept rows of a language that a revision adds, removes, and changes."""

    language: str
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class Difference:
    """From one revision to the next: rows by language, and settings as (name, before, after)."""

    rows: tuple[RowCounts, ...]
    gates: tuple[tuple[str, str, str], ...]
    settings: tuple[tuple[str, str, str], ...]

    @property
    def summary(self) -> str:
        """In one line."""
        added = sum(one.added for one in self.rows)
        removed = sum(one.removed for one in self.rows)
        changed = sum(one.changed for one in self.rows)
        parts = [f"{added} rows added, {removed} removed, {changed} changed"]
        if self.gates:
            parts.append("gates changed: " + ", ".join(name for name, _, _ in self.gates))
        return "; ".join(parts)

    def as_markdown(self) -> str:
        """In full."""
        lines = [f"- {self.summary}"]
        lines += [
            f"  - {one.language}: {one.added} added, {one.removed} removed, {one.changed} changed"
            for one in self.rows
            if one.added or one.removed or one.changed
        ]
        for title, changes in (("gate", self.gates), ("setting", self.settings)):
            lines += [
                f"- {title} {markdown(name)}: {markdown(before)} → {markdown(after)}"
                for name, before, after in changes[:_SETTINGS]
            ]
        return "\n".join(lines) + "\n"


def difference(
    rows_before: Path, rows_after: Path, recipe_before: str, recipe_after: str
) -> Difference:
    """What changed between two revisions, of which these are the row indexes and the recipes.

    Raises:
        InputError: the earlier revision's are not what m5ser wrote.
    """
    before, after = _fields(recipe_before), _fields(recipe_after)
    try:
        rows = tuple(_rows(rows_before, rows_after))
    except duckdb.Error as error:
        raise InputError(
            f"{rows_before.name} {_PUT_BACK} ({str(error).splitlines()[0]})"
        ) from error
    return Difference(
        rows, _changed(before.pop("gates", {}), after.pop("gates", {})), _changed(before, after)
    )


def _fields(recipe: str) -> dict[str, Any]:
    try:
        fields = parse_yaml(recipe)
    except BadRecipe:
        fields = None
    if not isinstance(fields, dict):
        raise InputError(f"recipe.yaml {_PUT_BACK}")
    return fields


def _rows(before: Path, after: Path) -> list[RowCounts]:
    with duckdb.connect(config={"threads": 1}) as connection:
        found = connection.execute(
            "SELECT coalesce(new.language, old.language) AS language, "
            "count(*) FILTER (old.take_id IS NULL), count(*) FILTER (new.take_id IS NULL), "
            "count(*) FILTER (old.sha256 <> new.sha256) "
            "FROM read_parquet([$1]) old FULL JOIN read_parquet([$2]) new USING (take_id) "
            "GROUP BY 1 ORDER BY 1",
            [escape(str(before)), escape(str(after))],
        )
        return [RowCounts(*row) for row in found.fetchall()]


def _changed(before: Any, after: Any, place: str = "") -> tuple[tuple[str, str, str], ...]:
    """Fields whose values differ, with their paths; engines in a list are known by their names."""
    before, after = _by_engine(before), _by_engine(after)
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return () if before == after else ((place, _shown(before), _shown(after)),)
    found: list[tuple[str, str, str]] = []
    for name in dict.fromkeys([*before, *after]):
        inner = f"{place}.{name}" if place else str(name)
        found += _changed(before.get(name), after.get(name), inner)
    return tuple(found)


def _by_engine(value: Any) -> Any:
    """A list of engines as a mapping, if no engine is in it twice."""
    named = isinstance(value, list) and all(
        isinstance(one, Mapping) and "engine" in one for one in value
    )
    engines = {str(one["engine"]): one for one in value} if named else {}
    return engines if engines and len(engines) == len(value) else value


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        value = {name: one for name, one in value.items() if one not in (None, {}, [])}
    text = "none" if value is None else yaml.safe_dump(value, default_flow_style=True, width=1000)
    return text.removesuffix("...\n").strip()


def changes_file(before: str | None, name: str, text: str) -> str:
    """CHANGES.md with a new revision on top."""
    rest = (before or _TITLE).removeprefix(_TITLE).lstrip("\n")
    return "\n".join(part for part in (_TITLE, f"## {name}\n", text, rest) if part)
