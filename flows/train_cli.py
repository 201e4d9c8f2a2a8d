"""The sub-commands `train`, `ablate`, `evaluate` and `predict` of the m5ser command."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from model.recipe_file import load_training_recipe
from pipeline.pretrained.devices import Device

Guard = Callable[[Callable[[], Any]], Any]
"""Runs an action; what a person can mend becomes a sentence and an exit code."""
Emit = Callable[[dict[str, Any], bool, Callable[[Console], None]], None]
"""Prints a result, as JSON or for a person."""

RecipeName = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A training recipe, or a bundled one's name.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field, as in stages.0.steps=9."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="The folder of a trained model.")]
Cache = Annotated[Path, typer.Option("--work", help="Where encoder frames or audio are kept.")]
DeviceName = Annotated[Device, typer.Option("--device", help="Where the model runs.")]
_WORK = Path("builds/.work")
_FRAMES = "frames"
_FAILED = 1


def register(app: typer.Typer, guarded: Guard, emit: Emit) -> None:
    """Add the sub-commands to the command."""
    _register_train(app, guarded, emit)
    _register_ablate(app, guarded, emit)
    _register_evaluate(app, guarded, emit)
    _register_predict(app, guarded, emit)


def _register_train(app: typer.Typer, guarded: Guard, emit: Emit) -> None:
    @app.command(epilog="Example: m5ser train recipes/training/quickstart.yaml")
    def train(
        recipe: RecipeName,
        out: Annotated[
            Path | None, typer.Option("--out", help="Default: builds/models/NAME.")
        ] = None,
        overrides: Overrides = None,
        work: Cache = _WORK,
        as_json: AsJson = False,
    ) -> None:
        """Train a model through its stages; a stopped training goes on from its checkpoint.

        On several devices: torchrun --nproc-per-node 4 -m flows.cli train RECIPE
        """
        loaded = guarded(lambda: load_training_recipe(recipe, overrides or []))
        flow = guarded(lambda: import_module("flows.train"))
        folder = out or Path("builds/models") / loaded.name
        console = Console(stderr=True)
        outcome = _trained(guarded, lambda: flow.run_train(loaded, folder, work / _FRAMES, console))
        if flow.speaks():
            emit(outcome.as_dict(), as_json, outcome.print_to)


def _register_ablate(app: typer.Typer, guarded: Guard, emit: Emit) -> None:
    @app.command(epilog="Example: m5ser ablate recipes/training/quickstart.yaml")
    def ablate(
        recipe: RecipeName,
        out: Annotated[
            Path | None, typer.Option("--out", help="Default: builds/ablations/NAME.")
        ] = None,
        overrides: Overrides = None,
        work: Cache = _WORK,
        as_json: AsJson = False,
    ) -> None:
        """Train with less, and print UA by language, on the same test clips for every training.

        Five: English only, + languages, + contrast, + adversary; and all of that unfiltered.
        """
        loaded = guarded(lambda: load_training_recipe(recipe, overrides or []))
        flow = guarded(lambda: import_module("flows.ablate"))
        folder = out or Path("builds/ablations") / loaded.name
        console = Console(stderr=True)
        found = _trained(guarded, lambda: flow.run_ablate(loaded, folder, work / _FRAMES, console))
        if flow.speaks():
            emit(found.as_dict(), as_json, found.print_to)


def _trained(guarded: Guard, action: Callable[[], Any]) -> Any:
    """Run a training; one that diverges ends with its sentence and exit code 1."""
    diverged = import_module("model.training").Diverged
    try:
        return guarded(action)
    except diverged as stop:
        typer.secho(f"error: {stop}", fg="red", err=True)
        raise typer.Exit(_FAILED) from stop


def _register_evaluate(app: typer.Typer, guarded: Guard, emit: Emit) -> None:
    @app.command(
        epilog="Example: m5ser evaluate builds/models/quickstart pl.csv --language pl --out pl"
    )
    def evaluate(
        model: Model,
        data: Annotated[
            Path | None,
            typer.Argument(
                metavar="DATA",
                help="A dataset folder, or a manifest of recordings (default: the recipe's sets).",
            ),
        ] = None,
        language: Annotated[
            str, typer.Option("--language", help="Of the manifest's recordings, by its code.")
        ] = "en",
        labels: Annotated[
            str | None,
            typer.Option(
                "--labels",
                metavar="THEIRS=OURS",
                help="What the manifest's labels mean, by commas: anger=angry,joy=happy.",
            ),
        ] = None,
        out: Annotated[
            Path | None,
            typer.Option("--out", help="Folder of the results (default: MODEL, and its card)."),
        ] = None,
        baselines: Annotated[
            bool,
            typer.Option(help="Also baselines, fitted on the training sets (which must be there)."),
        ] = True,
        device: DeviceName = "auto",
        work: Cache = _WORK,
        as_json: AsJson = False,
    ) -> None:
        """Measure a model on test clips: UA, WA and macro-F1 by language, beside baselines."""
        flow = guarded(lambda: import_module("flows.evaluate"))
        tested = guarded(lambda: flow.Tested(data, language, flow.read_labels(labels)))
        found = guarded(
            lambda: flow.run_evaluate(model, tested, out, work / _FRAMES, device, baselines)
        )
        emit(found.as_dict(), as_json, found.print_to)


def _register_predict(app: typer.Typer, guarded: Guard, emit: Emit) -> None:
    @app.command(
        epilog="Example: m5ser predict builds/models/quickstart hello.wav --labels calm,sad"
    )
    def predict(
        model: Model,
        files: Annotated[list[Path], typer.Argument(metavar="AUDIO...", help="Audio files.")],
        labels: Annotated[
            str | None, typer.Option("--labels", help="Any words, by commas (default: its own).")
        ] = None,
        device: DeviceName = "auto",
        batch_size: Annotated[int, typer.Option(min=1, help="Files heard at once.")] = 16,
        as_json: AsJson = False,
    ) -> None:
        """Print the probability of each emotion for audio files of any length and rate."""
        flow = guarded(lambda: import_module("flows.evaluate"))
        words = [word.strip() for word in labels.split(",")] if labels is not None else None
        found = guarded(lambda: flow.run_predict(model, files, words, device, batch_size))
        emit(found.as_dict(), as_json, found.print_to)
        for why in found.failed.values():
            typer.secho(f"error: {why}", fg="red", err=True)
        raise typer.Exit(_FAILED if found.failed else 0)
