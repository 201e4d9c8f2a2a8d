"""The sub-commands `publish`, `verify` and `pull` of the m5ser command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.terminal import FAILED, AsJson, emit, guarded, listed

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="ORG/NAME", help="A repository of the Hub.")]
AtRevision = Annotated[
    str | None, typer.Option("--revision", help="A tag, branch or commit (default: the newest).")
]


@app.command(epilog="Example: m5ser publish builds/quickstart my-org/quickstart --tag v1")
def publish(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A dataset folder, or a trained model's.")
    ],
    name: Name,
    public: Annotated[
        bool, typer.Option("--public", help="Let everybody see it (default: private).")
    ] = False,
    tag: Annotated[
        str | None, typer.Option("--tag", metavar="V1", help="Name this version.")
    ] = None,
    quota: Annotated[
        float | None,
        typer.Option(
            "--quota", metavar="GB", min=0, help="Refuse if branches and tags would hold more."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put a dataset or a model on the Hugging Face Hub; a stopped publish goes on."""
    with guarded():
        from flows.publish import run_publish
        from pipeline.hub.publish import Options

        size = None if quota is None else int(quota * 1e9)
        options = Options(public=public, tag=tag, quota_bytes=size)
        outcome = run_publish(folder, name, options, Console(stderr=True))
    emit(outcome, as_json)


@app.command(epilog="Example: m5ser verify my-org/quickstart --rebuild 5")
def verify(
    name: Annotated[str, typer.Argument(metavar="DIR|ORG/NAME", help="A folder, or a repository.")],
    rebuild: Annotated[
        int, typer.Option("--rebuild", metavar="N", min=0, help="Make N clips again.")
    ] = 0,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="For --rebuild, as corpus.path=..."),
    ] = None,
    revision: AtRevision = None,
    as_json: AsJson = False,
) -> None:
    """Check every file, row and clip, the splits, the licence and the card's numbers."""
    with guarded():
        from flows.publish import run_verify

        outcome = run_verify(name, revision, rebuild, overrides or [])
    emit(outcome, as_json)
    raise typer.Exit(0 if outcome.is_sound else FAILED)


@app.command(epilog="Example: m5ser pull my-org/m5ser --languages de,fr --hours 10")
def pull(
    name: Annotated[
        str, typer.Argument(metavar="DIR|ORG/NAME", help="A dataset folder, or a repository.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Default: builds/NAME, of a folder builds/NAME-part."),
    ] = None,
    languages: Annotated[str | None, typer.Option(help="By commas, as in de,fr.")] = None,
    emotions: Annotated[str | None, typer.Option(help="By commas, as in angry,sad.")] = None,
    splits: Annotated[str | None, typer.Option(help="By commas, as in train,test.")] = None,
    hours: Annotated[float | None, typer.Option(min=0, help="Of speech, at most.")] = None,
    revision: Annotated[
        str | None,
        typer.Option(
            "--revision",
            help="A tag, branch or commit; of a folder its manifest's SHA-256 (default: any).",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a part of a set, of the Hub or of a folder, as a dataset folder of its own."""
    with guarded():
        from flows.publish import run_pull
        from pipeline.parts.pull import Selection

        wanted = Selection(listed(languages), listed(emotions), listed(splits), hours)
        outcome = run_pull(name, revision, wanted, out, Console(stderr=True))
    emit(outcome, as_json)
