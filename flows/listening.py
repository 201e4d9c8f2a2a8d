"""`m5ser listening-test` and `m5ser listening-results`: a set judged by people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.dataset.layout import RECIPE
from pipeline.dataset.reading import BadFolder, damage_named
from pipeline.errors import InputError
from pipeline.languages import LANGUAGES, language_name
from pipeline.listening.draw import Draw
from pipeline.listening.page import write_page
from pipeline.listening.results import ALL, KNOWN, UNKNOWN, Results, results_of

_GROUPS = (ALL, KNOWN, UNKNOWN)


@dataclass(frozen=True)
class Written:
    """A page that was written, and how many clips it plays."""

    page: Path
    clips: int

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"page": str(self.page), "clips": self.clips}

    def print_to(self, console: Console) -> None:
        """For a person: where it is, and what to do with it."""
        console.print(
            f"{self.page}: {self.clips} clips. Send it to listeners; each sends a JSON file back.",
            markup=False,
        )


@dataclass(frozen=True)
class Printed:
    """The results of a test, for a terminal."""

    results: Results

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return self.results.as_dict()

    def print_to(self, console: Console) -> None:
        """For a person: the parts, the confusions of kept takes, the agreement."""
        found = self.results
        chance = 100 / len(found.emotions)
        table = Table("takes", "language", "clips", "answers", "UA % (95 %)", "naturalness")
        for part in found.parts:
            low, high = part.ua_interval
            table.add_row(
                part.takes,
                part.language if part.language in _GROUPS else language_name(part.language),
                str(part.clips),
                str(part.answers),
                f"{part.ua:.1f} ({low:.0f} to {high:.0f})",
                f"{part.naturalness:.2f}",
            )
        console.print(table)
        heard = Table("meant", *found.heard_as, title="kept takes: heard as")
        for emotion, row in zip(found.emotions, found.confusion, strict=True):
            heard.add_row(emotion, *map(str, row))
        console.print(heard)
        agreement = "unknown" if np.isnan(found.alpha) else f"{found.alpha:.2f}"
        console.print(
            f"listeners: {found.listeners}; chance {chance:.1f} %; "
            f"Krippendorff's alpha {agreement}",
            markup=False,
        )
        if any(part.language in (KNOWN, UNKNOWN) for part in found.parts):
            console.print(
                "known, unknown: languages that each listener says they understand, or not"
            )
        console.print(
            "95 %: over sentences and listeners, by bootstrap"
            if found.listeners > 1
            else "95 %: over sentences, of this one listener; of others it says nothing"
        )


def draw_of(clips: int, rejected: int, languages: Sequence[str] | None, seed: int) -> Draw:
    """What to draw.

    Raises:
        InputError: one of the languages is unknown.
    """
    strange = set(languages or ()) - set(LANGUAGES)
    if strange:
        known = ", ".join(LANGUAGES)
        raise InputError(f"--languages {', '.join(sorted(strange))}: unknown; known are {known}")
    return Draw.model_validate(
        {"clips": clips, "rejected": rejected, "languages": languages, "seed": seed}
    )


def make_test(folder: Path, draw: Draw, out: Path | None) -> Written:
    """Write the page of a listening test (default: beside the folder).

    Raises:
        InputError: the folder is no dataset folder, or there is nothing to play.
    """
    _checked(folder)
    page = out or folder.with_name(f"{folder.name}-listening-test.html")
    with damage_named(folder):
        return Written(page, len(write_page(folder, draw, page)))


def score_answers(folder: Path, files: Sequence[Path]) -> Printed:
    """Hold the answers of listeners against what was meant.

    Raises:
        InputError: a file is not what the page saved, or of another test or set.
    """
    _checked(folder)
    return Printed(results_of(folder, files))


def _checked(folder: Path) -> None:
    if not (folder / RECIPE).is_file():
        raise BadFolder(f"'{folder}' is no dataset folder: it has no recipe.yaml")
