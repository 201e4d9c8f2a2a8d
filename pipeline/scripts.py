"""The scripts that languages are written in, by the names that Unicode gives to letters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping

from pipeline.languages import ABOUT, Language, language_name

_SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "Latn": ("LATIN",),
    "Arab": ("ARABIC",),
    "Armn": ("ARMENIAN",),
    "Beng": ("BENGALI",),
    "Cyrl": ("CYRILLIC",),
    "Deva": ("DEVANAGARI",),
    "Geor": ("GEORGIAN",),
    "Grek": ("GREEK",),
    "Gujr": ("GUJARATI",),
    "Guru": ("GURMUKHI",),
    "Hang": ("HANGUL",),
    "Hans": ("CJK",),
    "Jpan": ("HIRAGANA", "KATAKANA", "CJK"),
    "Taml": ("TAMIL",),
    "Telu": ("TELUGU",),
    "Thai": ("THAI",),
}
"""How the names of a script's letters begin, by its code in ISO 15924."""
_EVERYWHERE = ("LATIN", "MODIFIER", "FEMININE ORDINAL", "MASCULINE ORDINAL")
"""How the names of letters begin that every language may have in loan words and numbers."""
_UNHEARD_MARKS = ("ARABIC", "VARIATION SELECTOR", "COMBINING GRAPHEME")
"""How the names of marks begin that change nothing that is said, or nothing that has to be told."""
_MOST = 0.5
"""A text with more than this share of foreign letters is in another language (assumed)."""


def of_script(letter: str, language: Language) -> bool:
    """Whether a letter is of the script that the language is written in."""
    return unicodedata.name(letter, "").startswith(_SCRIPTS[ABOUT[language].script])


def is_foreign(letter: str, language: Language) -> bool:
    """Whether a letter is neither of the language's script nor one that is met in all of them."""
    own = _SCRIPTS[ABOUT[language].script]
    return not unicodedata.name(letter, "").startswith((*own, *_EVERYWHERE))


def is_said(character: str) -> bool:
    """Whether a sign is heard: a letter, a digit, or a mark that is a vowel or tone, as in Hindi.

    Marks of Arabic are vowels that readers know without them, and hardly anyone writes.
    """
    if character.isalnum() or unicodedata.category(character)[0] != "M":
        return character.isalnum()
    return not unicodedata.name(character, "").startswith(_UNHEARD_MARKS)


def script_share(text: str, language: Language) -> float:
    """Share of a text's letters that are of the language's script; 0 for a text without letters."""
    letters = [one for one in text if one.isalpha()]
    own = sum(of_script(one, language) for one in letters)
    return own / len(letters) if letters else 0.0


def character_error(text: str) -> str | None:
    """Why a text can't be spoken in any language, in one sentence, or None if it can."""
    if not any(character.isalnum() for character in text):
        return f"the text {text[:40]!r} has no letter" if text.strip() else "the text is empty"
    controls = sorted({f"U+{ord(c):04X}" for c in text if unicodedata.category(c) == "Cc"})
    if controls:
        return f"the text {text[:40]!r} has control characters: {', '.join(controls)}"
    if "\ufffd" in text:
        return f"the text {text[:40]!r} has U+FFFD, where a character was lost: write it again"
    return None


def script_error(text: str, language: Language) -> str | None:
    """Why a text can't be in the language, in one sentence that names its script; None if it can.

    A few foreign letters are a name or a quotation, and no letters at all are a number.
    """
    # NFKC: wide Latin letters, as Mandarin has them, are Latin ones.
    letters = [one for one in unicodedata.normalize("NFKC", text) if one.isalpha()]
    foreign = [one for one in letters if is_foreign(one, language)]
    if len(foreign) <= _MOST * len(letters):
        return None
    [(script, _)] = Counter(_script_name(one) for one in foreign).most_common(1)
    return (
        f"text {text[:40]!r} is in {script} letters, and {language_name(language)} is written in "
        f"{' and '.join(_SCRIPTS[ABOUT[language].script])}: give the text in "
        f"{language_name(language)}"
    )


def _script_name(letter: str) -> str:
    """The first word of a letter's name, which for most scripts is the script's."""
    return unicodedata.name(letter, "nameless").partition(" ")[0]
