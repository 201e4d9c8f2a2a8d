"""The sub-commands `train`, `ablate`, `evaluate` and `predict` of the m5ser command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.terminal import FAILED, AsJson, emit, guarded
from model.recipe.file import load_training_recipe
from pipeline.pretrained.devices import Device

app = typer.Typer()

RecipeName = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A training recipe, or a bundled one's name.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field, as in stages.0.steps=9."),
]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="The folder of a trained model.")]
Cache = Annotated[Path, typer.Option("--work", help="Where encoder frames or audio are kept.")]
DeviceName = Annotated[Device, typer.Option("--device", help="Where the model runs.")]
_WORK = Path("builds/.work")
_FRAMES = "frames"


@app.command(epilog="Example: m5ser train recipes/training/quickstart.yaml")
def train(
    recipe: RecipeName,
    out: Annotated[Path | None, typer.Option("--out", help="Default: builds/models/NAME.")] = None,
    overrides: Overrides = None,
    work: Cache = _WORK,
    as_json: AsJson = False,
) -> None:
    """Train a model through its stages; a stopped training goes on from its checkpoint.

    On several devices: torchrun --nproc-per-node 4 -m flows.cli train RECIPE
    """
    with guarded():
        loaded = load_training_recipe(recipe, overrides or [])
        from flows.train import run_train, speaks

        folder = out or Path("builds/models") / loaded.name
        with _divergence_said():
            outcome = run_train(loaded, folder, work / _FRAMES, Console(stderr=True))
    if speaks():
        emit(outcome, as_json)


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
    with guarded():
        loaded = load_training_recipe(recipe, overrides or [])
        from flows.ablate import run_ablate
        from flows.train import speaks

        folder = out or Path("builds/ablations") / loaded.name
        with _divergence_said():
            found = run_ablate(loaded, folder, work / _FRAMES, Console(stderr=True))
    if speaks():
        emit(found, as_json)


@contextmanager
def _divergence_said() -> Iterator[None]:
    """A training that diverges ends with its sentence and exit code 1."""
    from model.training.loop import Diverged

    try:
        yield
    except Diverged as stop:
        typer.secho(f"error: {stop}", fg="red", err=True)
        raise typer.Exit(FAILED) from stop


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
        str | None,
        typer.Option("--language", help="Of the manifest's recordings, by its code (default: en)."),
    ] = None,
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
    with guarded():
        from flows.evaluate import Tested, read_labels, run_evaluate

        tested = Tested(data, language, read_labels(labels))
        found = run_evaluate(model, tested, out, work / _FRAMES, device, baselines)
    emit(found, as_json)


@app.command(epilog="Example: m5ser predict builds/models/quickstart hello.wav --labels calm,sad")
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
    with guarded():
        from flows.evaluate import run_predict

        words = [word.strip() for word in labels.split(",")] if labels is not None else None
        found = run_predict(model, files, words, device, batch_size)
    emit(found, as_json)
    for why in found.failed.values():
        typer.secho(f"error: {why}", fg="red", err=True)
    raise typer.Exit(FAILED if found.failed else 0)
