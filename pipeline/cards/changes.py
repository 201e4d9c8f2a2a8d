"""What each emotion changes in the voice: what was asked for, and what the takes have.

Both are relative to neutral speech of the same voice (`prosody_neutral` of a row).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.dataset.reading import DatasetFolder, prosody, score


@dataclass(frozen=True)
class Dimension:
    """A number of prosody: its title, its unit, its name, and how a change of it is written.

    A change in per cent is the quotient less 1; a share's is in percentage points.
    """

    title: str
    unit: str
    name: str
    decimals: int = 1

    @property
    def header(self) -> str:
        """Title and unit."""
        return f"{self.title}, {self.unit}"

    def change_sql(self, value: str) -> str:
        """By how much a value differs from the neutral one, in the unit."""
        neutral = prosody("prosody_neutral", self.name)
        if self.unit == "%":
            return f"100 * ({value} / {neutral} - 1)"
        return f"{100 if self.unit == 'points' else 1} * ({value} - {neutral})"


DIMENSIONS = (
    Dimension("F0 level", "st", "f0_level_st"),
    Dimension("F0 range", "%", "f0_range_st", 0),
    Dimension("level", "dB", "energy_db"),
    Dimension("range of levels", "%", "energy_range_db", 0),
    Dimension("rate", "%", "rate_phones_s", 0),
    Dimension("pauses", "points", "pause_share", 0),
    Dimension("tilt", "dB/oct", "tilt_db_oct"),
    Dimension("noise", "dB", "aperiodicity_db"),
)
"""Those of the prosody distance, in its order."""

Quartiles = tuple[float, float, float]


@dataclass(frozen=True)
class Change:
    """Quartiles of what was asked of a group of takes, and of what they have, in a dimension."""

    asked: Quartiles
    got: Quartiles


Changes = Mapping[Dimension, Mapping[str, Change]]
"""By dimension, and in each by emotion or language."""


def changes(dataset: DatasetFolder, column: str) -> Changes:
    """By emotion or language, over the kept takes that were asked for something and are voiced.

    Empty where no take was, or no judge measured the takes.
    """
    measured = [one for one in DIMENSIONS if one.name in dataset.score_names]
    found = {one: _by_group(dataset, column, one) for one in measured}
    return {one: groups for one, groups in found.items() if groups}


def _by_group(dataset: DatasetFolder, column: str, one: Dimension) -> dict[str, Change]:
    asked = one.change_sql(prosody("prosody_target", one.name))
    got = one.change_sql(score(one.name))
    rows = dataset.rows(
        f"SELECT {column} AS name, {_quartiles('asked')} AS asked, {_quartiles('got')} AS got "  # noqa: S608
        f"FROM (SELECT {column}, {asked} AS asked, {got} AS got FROM kept) "
        "WHERE isfinite(asked) AND isfinite(got) GROUP BY ALL"
    )
    return {row["name"]: Change(tuple(row["asked"]), tuple(row["got"])) for row in rows}


def _quartiles(expression: str) -> str:
    return f"quantile_cont({expression}, [0.25, 0.5, 0.75])"
