"""Where Whisper's basic normaliser goes wrong, and what is done in its place.

It turns every combining mark into a space. In Thai and in India's scripts these are vowels and
tones, so that different words became equal and words fell apart (Manohar et al. 2024, arXiv
2409.02449; openai/whisper, pull request 2849). Here they stay. And what a language may write in two
ways is written in one: the Turkic `i`, Serbian in its two scripts, Mandarin in traditional or
simplified characters, Arabic with or without vowels.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from pipeline.languages import ABOUT, Language

_AS_WHISPER = ("Latn", "Cyrl", "Grek", "Hans", "Jpan")
"""Scripts whose marks NFKC joins to their letters: there Whisper's own way is kept."""

_TURKIC_I = str.maketrans({"İ": "i", "I": "ı"})
"""Else `İ` in lower case is an `i` and a mark, and `I` is an `i`."""

_SERBIAN = str.maketrans(
    dict(zip("абвгдђежзијклмнопрстћуфхцчш", "abvgdđežzijklmnoprstćufhcčš", strict=True))
    | {"љ": "lj", "њ": "nj", "џ": "dž"}
)


def in_one_spelling(text: str, language: Language) -> str:
    """The text with the Turkic `i` in lower case, in Serbian's Latin script, or simplified.

    Whisper writes Serbian and Mandarin in either script, whichever the text has that was spoken.
    """
    if language in ("tr", "az"):
        return unicodedata.normalize("NFC", text).translate(_TURKIC_I)
    if language == "sr":
        return text.lower().translate(_SERBIAN)
    return str(_simplifier().convert(text)) if language == "zh" else text


@cache
def _simplifier() -> Any:
    """OpenCC (https://github.com/BYVoid/OpenCC, Apache-2.0), phrase by phrase."""
    from opencc import OpenCC

    return OpenCC("t2s")


def cleaning(language: Language) -> Callable[[str], str] | None:
    """What takes symbols out of a text; None where Whisper's own does."""
    script = ABOUT[language].script
    if script in _AS_WHISPER:
        return None
    # Hardly anyone writes the marks of Arabic, which are vowels to be guessed.
    return partial(_without_symbols, keeps_marks=script != "Arab")


def _without_symbols(text: str, keeps_marks: bool) -> str:
    return "".join(_cleaned(one, keeps_marks) for one in unicodedata.normalize("NFKC", text))


def _cleaned(character: str, keeps_marks: bool) -> str:
    """A space for a symbol, nothing for what can't be seen, a mark if it is to be kept."""
    kind = unicodedata.category(character)
    if kind[0] in "SP":
        return " "
    # Joiners and direction signs; frames around a character, and selectors of its shape.
    if kind in ("Cf", "Me") or "\ufe00" <= character <= "\ufe0f":
        return ""
    return "" if kind[0] == "M" and not keeps_marks else character
