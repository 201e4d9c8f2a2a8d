"""The vocabulary of languages (BCP-47), and what the other files need to know of each."""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["en", "de", "fr", "it", "es", "zh"]

LANGUAGES: tuple[Language, ...] = get_args(Language)

SOURCE: Language = "en"
"""The language of every utterance; the others are translated from it."""

_NAMES: dict[Language, str] = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "it": "Italian",
    "es": "Spanish",
    "zh": "Mandarin",
}


def language_name(language: Language) -> str:
    """The English name of a language, for cards and tables."""
    return _NAMES[language]
