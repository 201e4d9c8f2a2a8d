"""What a verification finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.plain import plain

_SHOWN = 20
_KEPT = 1000
"""Problems that are kept in words; of a set with more, how many each check found."""


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be: which check found it, in what, and what it is."""

    check: str
    where: str
    what: str


@dataclass
class Findings:
    """Checks that were made, each with what it looked at, and the problems that they found.

    `problems` are the first ones; `wrong` counts all, by check.
    """

    checks: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)

    def report(self, check: str, where: str, what: str) -> None:
        """Add a problem, in plain text: what it quotes is of whoever made the set."""
        self.wrong[check] += 1
        if len(self.problems) < _KEPT:
            self.problems.append(Problem(check, _plain(where), _plain(what)))

    def sentences(self) -> list[str]:
        """The first problems as sentences."""
        told = [f"{one.check}: {one.where}: {one.what}" for one in self.problems[:_SHOWN]]
        more = self.wrong.total() - len(told)
        return [*told, f"and {more} more"] if more else told

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "checks": self.checks,
            "wrong": dict(self.wrong),
            "problems": [vars(problem) for problem in self.problems],
        }

    @contextmanager
    def reading(self, check: str, where: str) -> Iterator[None]:
        """What can't be read within the block is a problem, and not the end."""
        try:
            yield
        except (OSError, UnicodeDecodeError, pa.ArrowException, duckdb.Error) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
            self.report(check, where, f"it can't be read: {first}")


def _plain(text: str) -> str:
    """Plain, and encodable: a file's name may hold bytes that are no text."""
    return plain(text.encode(errors="replace").decode())
