"""What is written of a dataset folder from the folder alone."""

from __future__ import annotations

from pathlib import Path

from pipeline.cards.card import write_card
from pipeline.cards.figures import write_figures
from pipeline.cards.report import write_report
from pipeline.dataset.credentials import write_credentials
from pipeline.dataset.layout import BUILD
from pipeline.dataset.manifest import write_manifest
from pipeline.dataset.reading import BadFolder


def describe(folder: Path) -> None:
    """Write what a person reads, and the manifest over all: a function of the folder alone.

    Raises:
        BadFolder: it was not written by a build.
    """
    if not (folder / BUILD).is_file():
        raise BadFolder(f"'{folder}' is no dataset folder: it has no {BUILD}")
    write_figures(folder)
    write_report(folder)
    write_card(folder)
    write_credentials(folder)
    write_manifest(folder)
