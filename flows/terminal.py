"""What every command of m5ser does at a terminal: results go out, and errors as sentences."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console

from flows.full_disk import full_disk_sentence, is_full_disk
from flows.interrupts import EXIT_CODE, STOPPED
from pipeline.errors import InputError
from pipeline.plain import one_line, plain

FAILED, BAD_INPUT = 1, 2
_EXTRAS = {"distributed": "dask", "ray": "ray"}
"""Modules that no recipe asks for, and the extra that has each."""

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


class Outcome(Protocol):
    """What a command came to."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""

    def print_to(self, console: Console) -> None:
        """For a person."""


def emit(outcome: Outcome, as_json: bool) -> None:
    """Print a result, as JSON or for a person."""
    if as_json:
        typer.echo(json.dumps(outcome.as_dict(), ensure_ascii=False))
    else:
        outcome.print_to(Console())


@contextmanager
def guarded() -> Iterator[None]:
    """End the command with a sentence and an exit code for what a person can mend in the block.

    Heavy modules are imported within it too, so that one which is missing comes with its fix.
    """
    try:
        yield
    except InputError as bad:
        for line in str(bad).split("\n"):
            typer.secho(f"error: {one_line(line)}", fg="red", err=True)
        raise typer.Exit(BAD_INPUT) from bad
    except ModuleNotFoundError as bad:
        extra = _EXTRAS.get(bad.name or "", "neural,train")
        fix = f"pip install -e '.[{extra}]' -c requirements/all.lock"
        # What knows its own fix says it, and names no module.
        said = f"the module '{bad.name}' is missing: {fix}" if bad.name else str(bad)
        typer.secho(f"error: {said}", fg="red", err=True)
        raise typer.Exit(BAD_INPUT) from bad
    except OSError as bad:
        typer.secho(f"error: {_said(bad)}", fg="red", err=True)
        raise typer.Exit(BAD_INPUT if bad.errno == errno.ENAMETOOLONG else FAILED) from bad
    except KeyboardInterrupt as stop:
        typer.secho(STOPPED, err=True)
        raise typer.Exit(EXIT_CODE) from stop


def _said(error: OSError) -> str:
    if is_full_disk(error):
        return full_disk_sentence(error)
    if error.errno == errno.ENAMETOOLONG:
        return f"a path is longer than this system takes: {plain(str(error.filename))}: shorten it"
    place = f": {error.filename}" if error.filename else ""
    return one_line(f"{error.strerror or error}{place}")


def listed(text: str | None) -> tuple[str, ...] | None:
    """The words of an option that takes several by commas; None where it isn't given."""
    return tuple(one.strip() for one in text.split(",")) if text else None
