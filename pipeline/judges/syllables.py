"""How many syllables a text has, as far as its spelling tells."""

from __future__ import annotations

import re
import unicodedata

from pipeline.languages import Language

_NUCLEUS = re.compile(r"[aeiouyœæ]+")
_SILENT_E = re.compile(r"(?<=[aeiouy])([^\Waeiouy_]+)e(?=s?\b)")
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff]")


def count_syllables(text: str, language: Language) -> int:
    """Ideographs of a Mandarin text; else groups of vowel letters.

    In English and French a final `e` after another vowel's syllable is silent. Letters are a rough
    measure (hiatus counts as one, digits as none): good for ranks within a language, as the
    expressivity metrics of Seamless use them, and not for comparing two languages.
    """
    if language == "zh":
        return len(_IDEOGRAPH.findall(text))
    plain = unicodedata.normalize("NFD", text.casefold())
    if language in ("en", "fr"):
        # An accent after the `e` keeps it from being silent.
        plain = _SILENT_E.sub(r"\1", plain)
    letters = "".join(c for c in plain if unicodedata.category(c) != "Mn")
    return len(_NUCLEUS.findall(letters))
