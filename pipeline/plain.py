"""A stranger's text, as it may be printed on a terminal or stand in an error or a page."""

from __future__ import annotations

import re

_LONGEST = 300
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def plain(text: str) -> str:
    """A text in one line, without control or direction characters, cut to a readable length."""
    line = one_line(text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def one_line(text: str) -> str:
    """A text in one line, without control or direction characters, however long it is."""
    # Of half a character, which no file and no terminal can hold, its number.
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return " ".join(_HIDDEN.sub(" ", whole).split())
