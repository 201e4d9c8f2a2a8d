"""The sub-commands `listening-test` and `listening-results` of the m5ser command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.terminal import AsJson, emit, guarded, listed
from pipeline.listening.draw import MOST_CLIPS

app = typer.Typer()

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A dataset folder.")]


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
    with guarded():
        from flows.listening import draw_of, make_test

        draw = draw_of(clips, rejected, listed(languages), seed)
        written = make_test(folder, draw, out)
    emit(written, as_json)


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
    with guarded():
        from flows.listening import score_answers

        results = score_answers(folder, answers)
    emit(results, as_json)
