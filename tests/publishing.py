"""A publish without a progress line, for the tests of the Hub."""

from __future__ import annotations

from pathlib import Path

from pipeline.hub.publish import Options, Published, publish

NAME = "org/tones"


def publishing(folder: Path, name: str = NAME, **options: object) -> Published:
    """What `publish` answers for a folder, told and shown to nobody."""
    return publish(folder, name, Options(**options), lambda package: None, lambda done, due: None)  # type: ignore[arg-type]
