"""How many syllables a text has, as far as its spelling tells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from pipeline.languages import ABOUT, Language

_NUCLEUS: Mapping[str, str] = {
    "Latn": r"[aeiouyœæøəı]+",
    "Cyrl": r"[аеиоуыэюяєіәөүұ]",
    "Grek": r"[αεηιουω]+",
    "Armn": r"[աեէըիոօու]+",
    "Geor": r"[აეიოუ]",
    "Hans": r"[\u3400-\u9fff]",
    "Jpan": r"[\u3041-\u30fe\u3400-\u9fff][ゃゅょぁぃぅぇぉャュョァィゥェォ]?",
}
"""The vowels of a syllable, or the sign that stands for it, by script (ISO 15924).

In Cyrillic and Georgian every vowel letter has a syllable of its own.
"""
_WELSH = r"[aeiouwy]+"
_SYLLABIC: Mapping[str, str] = {
    **dict.fromkeys(("cs", "sk"), "rl"),
    **dict.fromkeys(("bs", "hr", "sl"), "r"),
    **dict.fromkeys(("mk", "sr"), "р"),
}
"""Consonants that are a syllable after another consonant, where no vowel follows: `prst`."""
_LETTER = re.compile(r"[^\W\d_]")
_CONSONANTS = str.maketrans("йўř", "jwz")
"""Without their marks these would be vowels, or an `r` that can be a syllable."""
_ACCENTED_E = re.compile(r"e(?=[\u0300-\u036f])")
_SILENT_E = re.compile(r"(?<=[aeiouy])([^\Waeiouy_]+)e(?=s?\b)")


def count_syllables(text: str, language: Language) -> int:
    """Vowel letters or groups of them; characters of Chinese; kana and kanji; else letters.

    In English and French a final `e` without accent after another vowel's syllable is silent.
    Hangul's letters are syllables; those of Arabic, of Thai and of India's scripts are consonants,
    of which some carry none. Spelling is a rough measure (hiatus counts as one in the Latin, Greek
    and Armenian scripts, Kazakh's consonant `у` and Welsh's `w` as vowels, digits as none): good
    for ranks within a language, as the expressivity metrics of Seamless use it, and not for
    comparing two languages.
    """
    pattern = _nucleus(language)
    if pattern is None:
        return len(_LETTER.findall(text))
    composed = unicodedata.normalize("NFC", text.casefold())
    plain = unicodedata.normalize("NFD", composed.translate(_CONSONANTS))
    if language in ("en", "fr"):
        # Any other vowel will do: with its accent gone, an `e` would be silent.
        plain = _ACCENTED_E.sub("a", plain)
    letters = "".join(c for c in plain if unicodedata.category(c) != "Mn")
    if language in ("en", "fr"):
        letters = _SILENT_E.sub(r"\1", letters)
    return len(pattern.findall(letters))


@cache
def _nucleus(language: Language) -> re.Pattern[str] | None:
    """What a syllable of the language has once; None where its letters are counted."""
    vowels = _WELSH if language == "cy" else _NUCLEUS.get(ABOUT[language].script)
    if vowels is None:
        return None
    if syllabic := _SYLLABIC.get(language):
        letters = vowels.strip("[]+")
        # After `l`, `r` or `j` it is none: `perl`.
        vowels += rf"|(?<=[^\W\d_{letters}jlrјлљр])[{syllabic}](?![{letters}])"
    return re.compile(vowels)
