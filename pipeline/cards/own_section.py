"""The section of a card that a person writes; it outlives every new rendering."""

from __future__ import annotations

OWN_START, OWN_END = "<!-- own section: kept -->", "<!-- end of own section -->"
"""Marks around it."""


def own_section(card: str) -> str | None:
    """What stands between the two marks of a card, or None if it has no such section."""
    _, start, rest = card.partition(OWN_START)
    text, end, _ = rest.partition(OWN_END)
    return text if start and end else None


def with_own_section(card: str, own: str | None) -> str:
    """The card with this text in its own section; None leaves it as it is."""
    before, start, rest = card.partition(OWN_START)
    _, end, after = rest.partition(OWN_END)
    if own is None or not (start and end):
        return card
    return f"{before}{start}{own}{end}{after}"
