"""The m5ser command."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows import hub_cli, listening_cli, train_cli
from flows.interrupts import hear_termination, interrupts_wait, stopping_at_once
from flows.prefect_settings import prepare_prefect
from flows.runners.opening import RunnerName
from flows.terminal import FAILED, AsJson, emit, guarded
from flows.trust import trusted
from pipeline.errors import InputError
from pipeline.recipe_file import load_recipe
from pipeline.store import Store, open_store

app = typer.Typer(
    name="m5ser",
    help="Synthetic multilingual emotional speech: from a recipe to a published dataset.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

app.callback()(hear_termination)

RecipeName = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe file, or the name of a bundled one.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field, as in takes=3."),
]
WorkStore = Annotated[
    str, typer.Option("--work", help="The work store, shared by all recipes: a folder or a URL.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="Only the first N utterances: a dry run.")
]
_WORK = "builds/.work"


@app.command(epilog="Example: m5ser build recipes/quickstart.yaml --limit 1")
def build(
    recipe: RecipeName,
    out: Annotated[Path | None, typer.Option("--out", help="Default: builds/NAME.")] = None,
    limit: Limit = None,
    overrides: Overrides = None,
    work: WorkStore = _WORK,
    runner: Annotated[
        RunnerName, typer.Option("--runner", help="Where the work runs: here, or on a cluster.")
    ] = "processes",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, help="Default: all cores; each CUDA GPU has more of its own."
        ),
    ] = None,
    per_gpu: Annotated[
        int,
        typer.Option(
            "--workers-per-gpu",
            min=1,
            help="With 2, one speaks while the other shapes takes; a GPU then holds models twice.",
        ),
    ] = 1,
    address: Annotated[
        str | None, typer.Option("--address", help="Of a Dask scheduler or a Ray cluster.")
    ] = None,
    allow_commands: Annotated[
        bool,
        typer.Option("--allow-commands", help="Let the recipe run its program (`m5ser plan`)."),
    ] = False,
    retry: Annotated[
        bool,
        typer.Option("--retry-failed", help="Try again what failed in an earlier build."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build the dataset folder of a recipe; what is done already is not done again."""
    with guarded():
        loaded = trusted(load_recipe(recipe, overrides or []), allow_commands)
        store = open_store(work)
        prepare_prefect(_local(store))
        with interrupts_wait():
            from flows.command import run_build
            from flows.runners.opening import open_runner

        folder = out or Path("builds") / loaded.name
        opening = open_runner(runner, _worker_count(workers, address), address, per_gpu)
        with stopping_at_once():
            console = Console(stderr=True)
            outcome = run_build(loaded, folder, store, limit, opening, console, retry=retry)
    emit(outcome, as_json)
    raise typer.Exit(FAILED if outcome.too_many_failed else 0)


@app.command(epilog="Example: m5ser plan recipes/ravdess.yaml --set corpus.path=/data/ravdess")
def plan(
    recipe: RecipeName,
    limit: Limit = None,
    overrides: Overrides = None,
    work: WorkStore = _WORK,
    as_json: AsJson = False,
) -> None:
    """Print what a build would do, without doing it: rows, hours, time, disk, licence."""
    with guarded():
        from flows.plan import make_plan

        planned = make_plan(load_recipe(recipe, overrides or []), limit, open_store(work))
    emit(planned, as_json)


@app.command(epilog="Example: m5ser tune builds/quickstart --set gates.quality.min=2.5")
def tune(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A dataset folder.")],
    overrides: Overrides = None,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write the recipe with these gates here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what other gates would keep, by language and emotion, without any synthesis."""
    with guarded():
        from flows.tune import tune_folder

        tuned = tune_folder(folder, overrides or [], write)
    emit(tuned, as_json)


@app.command(epilog="Example: m5ser calibrate m5ser --speech de=emodb.csv --write calibrated.yaml")
def calibrate(
    recipe: RecipeName,
    speech: Annotated[
        list[str] | None,
        typer.Option(
            "--speech",
            metavar="LANGUAGE=CORPUS",
            help="Human recordings: a manifest, or a corpus as in a recipe (default: its own).",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=2, help="At most N clips of a language.")
    ] = None,
    overrides: Overrides = None,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write the recipe with the temperatures here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a recipe's emotion and language judges against human speech, language by language."""
    with guarded():
        from flows.calibrate import calibrate, check_place, speech_of, write_calibrated

        loaded = load_recipe(recipe, overrides or [])
        corpora = speech_of(loaded, speech or [])
        if write:
            check_place(write)
        found = calibrate(loaded, corpora, limit, Console(stderr=True))
    emit(found, as_json)
    if write:
        with guarded():
            write_calibrated(loaded, found, write)


@app.command(epilog="Example: m5ser report builds/quickstart")
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A dataset folder.")],
) -> None:
    """Write figures, report.html, the card and the manifest of a dataset folder anew."""
    with guarded():
        from pipeline.cards.describe import describe
        from pipeline.dataset.reading import damage_named

        with damage_named(folder):
            describe(folder)
    typer.echo(f"{folder / 'report.html'}")


@app.command(epilog="Example: m5ser doctor recipes/m5ser.yaml")
def doctor(
    recipes: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECIPE...", help="Recipes (default: all that are bundled)."),
    ] = None,
    overrides: Overrides = None,
    work: WorkStore = _WORK,
    as_json: AsJson = False,
) -> None:
    """Say what each recipe lacks on this machine, and the command that gets it."""
    with guarded():
        from flows.doctor import check

        found = check(recipes or [], overrides or [], _local(open_store(work)))
    emit(found, as_json)
    raise typer.Exit(0 if found.runs else FAILED)


@app.command(epilog="Example: m5ser schema > recipe.schema.json")
def schema(
    training: Annotated[bool, typer.Option("--training", help="Of training recipes.")] = False,
) -> None:
    """Print the JSON schema of recipes, for editors that complete and check as you type."""
    from model.recipe.training import TrainingRecipe
    from pipeline.recipe import Recipe

    kind = TrainingRecipe if training else Recipe
    typer.echo(json.dumps(kind.model_json_schema(), indent=1))


def _local(store: Store) -> Path:
    """The folder of a work store; of one that is elsewhere, that of the default one here."""
    return Path(_WORK if store.is_remote else store.root)


def _worker_count(given: int | None, address: str | None) -> int:
    """How many workers to start on this machine.

    Raises:
        InputError: a number for a cluster, which has its own.
    """
    if given and address:
        raise InputError(
            f"--workers {given}: the cluster at {address} has its own number of workers; "
            "leave out --workers, or --address to work on this machine"
        )
    return given or len(os.sched_getaffinity(0))


for part in (train_cli, hub_cli, listening_cli):
    app.add_typer(part.app)

if __name__ == "__main__":
    app()
