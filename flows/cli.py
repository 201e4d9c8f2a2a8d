"""The m5ser command."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from flows import hub_cli, listening_cli
from flows.full_disk import full_disk_sentence, is_full_disk
from flows.interrupts import (
    EXIT_CODE,
    STOPPED,
    hear_termination,
    interrupts_wait,
    stopping_at_once,
)
from flows.runners.base import RunnerName
from flows.settings import prepare_prefect
from flows.train_cli import register
from flows.trust import trusted
from pipeline.errors import InputError
from pipeline.recipe_file import load_recipe
from pipeline.work.store import open_store

app = typer.Typer(
    name="m5ser",
    help="Synthetic multilingual emotional speech: from a recipe to a published dataset.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_FAILED, _BAD_INPUT = 1, 2
_EXTRAS = {"distributed": "dask", "ray": "ray"}
"""Modules that no recipe asks for, and the extra that has each."""

app.callback()(hear_termination)

RecipeName = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe file, or the name of a bundled one.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field, as in takes=3."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
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
    loaded = _guarded(lambda: trusted(_load(recipe, overrides), allow_commands))
    store = _guarded(lambda: open_store(work))
    _guarded(lambda: prepare_prefect(Path(_WORK if store.is_remote else work)))
    run_build, open_runner = _guarded(_import_build)
    console = Console(stderr=True)
    folder = out or Path("builds") / loaded.name
    opening = _guarded(
        lambda: open_runner(runner, _worker_count(workers, address), address, per_gpu)
    )
    with stopping_at_once():
        outcome = _guarded(
            lambda: run_build(loaded, folder, store, limit, opening, console, retry=retry)
        )
    _emit(outcome.as_dict(), as_json, outcome.print_to)
    raise typer.Exit(_FAILED if outcome.too_many_failed else 0)


@app.command(epilog="Example: m5ser plan recipes/ravdess.yaml --set corpus.path=/data/ravdess")
def plan(
    recipe: RecipeName,
    limit: Limit = None,
    overrides: Overrides = None,
    work: WorkStore = _WORK,
    as_json: AsJson = False,
) -> None:
    """Print what a build would do, without doing it: rows, hours, time, disk, licence."""
    loaded = _load(recipe, overrides)
    from flows.plan import make_plan
    from flows.plan_table import print_plan

    planned = _guarded(lambda: make_plan(loaded, limit, open_store(work)))
    _emit(planned.as_dict(), as_json, lambda console: print_plan(planned, console))


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
    from flows.tune import tune_folder

    tuned = _guarded(lambda: tune_folder(folder, overrides or [], write))
    _emit(tuned.as_dict(), as_json, tuned.print_to)


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
    loaded = _load(recipe, overrides)
    from flows.calibrate import calibrate, check_place, speech_of, write_calibrated

    console = Console(stderr=True)
    corpora = _guarded(lambda: speech_of(loaded, speech or []))
    if write:
        _guarded(lambda: check_place(write))
    found = _guarded(lambda: calibrate(loaded, corpora, limit, console))
    _emit(found.as_dict(), as_json, found.print_to)
    if write:
        _guarded(lambda: write_calibrated(loaded, found, write))


@app.command(epilog="Example: m5ser report builds/quickstart")
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A dataset folder.")],
) -> None:
    """Write figures, report.html, the card and the manifest of a dataset folder anew."""
    from pipeline.dataset.reading import damage_named
    from pipeline.dataset.writing import describe

    _guarded(lambda: damage_named(folder)(describe)(folder))
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
    from flows.doctor import check

    found = _guarded(lambda: check(recipes or [], overrides or [], Path(work)))
    _emit(found.as_dict(), as_json, found.print_to)
    raise typer.Exit(0 if found.runs else _FAILED)


@app.command(epilog="Example: m5ser schema > recipe.schema.json")
def schema(
    training: Annotated[bool, typer.Option("--training", help="Of training recipes.")] = False,
) -> None:
    """Print the JSON schema of recipes, for editors that complete and check as you type."""
    from model.recipe import TrainingRecipe
    from pipeline.recipe import Recipe

    kind = TrainingRecipe if training else Recipe
    typer.echo(json.dumps(kind.model_json_schema(), indent=1))


def _import_build() -> Any:
    with interrupts_wait():
        from flows.command import run_build
        from flows.runners.base import open_runner

    return run_build, open_runner


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


def _load(recipe: str, overrides: list[str] | None) -> Any:
    return _guarded(lambda: load_recipe(recipe, overrides or []))


def _guarded(action: Any) -> Any:
    """Run an action; what a person can mend becomes a sentence and an exit code."""
    try:
        return action()
    except InputError as bad:
        for line in str(bad).splitlines():
            typer.secho(f"error: {line}", fg="red", err=True)
        raise typer.Exit(_BAD_INPUT) from bad
    except ModuleNotFoundError as bad:
        extra = _EXTRAS.get(bad.name or "", "neural,train")
        fix = f"pip install -e '.[{extra}]' -c requirements/all.lock"
        # What knows its own fix says it, and names no module.
        said = f"the module '{bad.name}' is missing: {fix}" if bad.name else str(bad)
        typer.secho(f"error: {said}", fg="red", err=True)
        raise typer.Exit(_BAD_INPUT) from bad
    except OSError as bad:
        typer.secho(f"error: {_said(bad)}", fg="red", err=True)
        raise typer.Exit(_FAILED) from bad
    except KeyboardInterrupt as stop:
        typer.secho(STOPPED, err=True)
        raise typer.Exit(EXIT_CODE) from stop


def _said(error: OSError) -> str:
    if is_full_disk(error):
        return full_disk_sentence(error)
    place = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{place}"


def _emit(value: dict[str, Any], as_json: bool, show: Any) -> None:
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False))
    else:
        show(Console())


register(app, _guarded, _emit)
hub_cli.register(app, _guarded, _emit)
listening_cli.register(app, _guarded, _emit)

if __name__ == "__main__":
    app()
