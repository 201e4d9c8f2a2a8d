"""The sub-commands `listening-test` and `listening-results` of the m5ser command."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from flows.train_cli import AsJson, Emit, Guard
from pipeline.listening.draw import MOST_CLIPS

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A dataset folder.")]


def register(app: typer.Typer, guarded: Guard, emit: Emit) -> None:
    """Add the sub-commands to the command."""
    _register_test(app, guarded, emit)
    _register_results(app, guarded, emit)


def _register_test(app: typer.Typer, guarded: Guard, emit: Emit) -> None:
    @app.command(
        "listening-test",
        epilog="Example: m5ser listening-test builds/quickstart --clips 42 --rejected 14",
    )
    def listening_test(
        folder: Folder,
        clips: Annotated[int, typer.Option(min=0, max=MOST_CLIPS, help="Kept takes.")] = 42,
        rejected: Annotated[
            int,
            typer.Option(
                "--rejected",
                min=0,
                max=MOST_CLIPS,
                help="Takes that a gate rejected, hidden among them.",
            ),
        ] = 0,
        languages: Annotated[
            str | None, typer.Option(help="By commas, as in de,fr (default: all).")
        ] = None,
        seed: Annotated[int, typer.Option(help="Another seed, other takes.")] = 0,
        out: Annotated[
            Path | None, typer.Option("--out", help="Default: DIR-listening-test.html.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Write a page on which people say, blind, which emotion they hear and how natural."""
        flow = guarded(lambda: import_module("flows.listening"))
        draw = guarded(lambda: flow.draw_of(clips, rejected, languages, seed))
        written = guarded(lambda: flow.make_test(folder, draw, out))
        emit(written.as_dict(), as_json, written.print_to)


def _register_results(app: typer.Typer, guarded: Guard, emit: Emit) -> None:
    @app.command(
        "listening-results",
        epilog="Example: m5ser listening-results builds/quickstart answers-*.json",
    )
    def listening_results(
        folder: Folder,
        answers: Annotated[
            list[Path],
            typer.Argument(metavar="ANSWERS...", help="The files that the listeners saved."),
        ],
        as_json: AsJson = False,
    ) -> None:
        """Print how often listeners heard the emotion that was meant, and how far they agree."""
        flow = guarded(lambda: import_module("flows.listening"))
        results = guarded(lambda: flow.score_answers(folder, answers))
        emit(results.as_dict(), as_json, results.print_to)
