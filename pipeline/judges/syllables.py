"""How many syllables a text has, as far as its spelling tells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from pipeline.languages import ABOUT, Language

_NUCLEUS: Mapping[str, re.Pattern[str]] = {
    "Latn": re.compile(r"[aeiouyœæøəı]+"),
    "Cyrl": re.compile(r"[аеиоуыэюяєіәөүұ]+"),
    "Grek": re.compile(r"[αεηιουω]+"),
    "Armn": re.compile(r"[աեէըիոօու]+"),
    "Geor": re.compile(r"[აეიოუ]+"),
    "Hans": re.compile(r"[\u3400-\u9fff]"),
    "Jpan": re.compile(r"[\u3041-\u30fe\u3400-\u9fff][ゃゅょぁぃぅぇぉャュョァィゥェォ]?"),
}
"""The vowels of a syllable, or the sign that stands for it, by script (ISO 15924)."""
_LETTER = re.compile(r"[^\W\d_]")
_SEMIVOWELS = str.maketrans("йў", "jw")
"""Consonants that would fall apart into a vowel and a mark."""
_SILENT_E = re.compile(r"(?<=[aeiouy])([^\Waeiouy_]+)e(?=s?\b)")


def count_syllables(text: str, language: Language) -> int:
    """Groups of vowel letters; characters of Chinese; kana and kanji; else letters.

    In English and French a final `e` after another vowel's syllable is silent. Hangul's letters are
    syllables; those of Arabic, of Thai and of India's scripts are consonants, of which some carry
    none. Spelling is a rough measure (hiatus counts as one, digits as none): good for ranks within
    a language, as the expressivity metrics of Seamless use it, and not for comparing two languages.
    """
    pattern = _NUCLEUS.get(ABOUT[language].script)
    if pattern is None:
        return len(_LETTER.findall(text))
    plain = unicodedata.normalize("NFD", text.casefold().translate(_SEMIVOWELS))
    if language in ("en", "fr"):
        # An accent after the `e` keeps it from being silent.
        plain = _SILENT_E.sub(r"\1", plain)
    letters = "".join(c for c in plain if unicodedata.category(c) != "Mn")
    return len(pattern.findall(letters))
