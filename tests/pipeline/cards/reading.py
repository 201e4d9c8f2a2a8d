"""A card as its readers have it: written into its folder, and its header as the Hub parses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from pipeline.cards.card import write_card

Make = Callable[..., Path]


def card_of(folder: Path) -> str:
    """The card that is written for a folder."""
    write_card(folder)
    return (folder / "README.md").read_text(encoding="utf-8")


def header_of(card: str) -> dict[str, Any]:
    """Its YAML header."""
    _, header, _ = card.split("---\n", 2)
    parsed: dict[str, Any] = yaml.safe_load(header)
    return parsed
