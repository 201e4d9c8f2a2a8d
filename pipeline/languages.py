"""The vocabulary of languages (BCP-47), and what the other files need to know of each.

A language is here if Whisper hears it, lingua recognizes its texts, NLLB translates into it and one
of the synthesizers speaks it. Which one, `Synthesizer.languages` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal[
    "en", "de", "fr", "it", "es", "zh", "af", "ar", "az", "be", "bg", "bn", "bs", "ca", "cs",
    "cy", "da", "el", "et", "eu", "fa", "fi", "gu", "hi", "hr", "hu", "hy", "id", "is", "ja",
    "ka", "kk", "ko", "lt", "lv", "mk", "mr", "ms", "nb", "nl", "pa", "pl", "pt", "ro", "ru",
    "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi",
]  # fmt: skip

LANGUAGES: tuple[Language, ...] = get_args(Language)

SOURCE: Language = "en"
"""The language of every utterance; the others are translated from it."""

TONAL: frozenset[Language] = frozenset({"th", "vi", "zh"})
"""Where F0 tells words apart: complex tone systems (Maddieson 2013, WALS chapter 13)."""


@dataclass(frozen=True)
class About:
    """A language's English name, its code in ISO 639-3 and its script in ISO 15924.

    Where BCP-47's code names several languages, ISO 639-3's is that of the one that the translators
    write: Standard Arabic, Western Persian, Standard Malay.
    """

    name: str
    iso639_3: str
    script: str


ABOUT: Mapping[Language, About] = {
    "en": About("English", "eng", "Latn"),
    "de": About("German", "deu", "Latn"),
    "fr": About("French", "fra", "Latn"),
    "it": About("Italian", "ita", "Latn"),
    "es": About("Spanish", "spa", "Latn"),
    "zh": About("Mandarin", "cmn", "Hans"),
    "af": About("Afrikaans", "afr", "Latn"),
    "ar": About("Arabic", "arb", "Arab"),
    "az": About("Azerbaijani", "azj", "Latn"),
    "be": About("Belarusian", "bel", "Cyrl"),
    "bg": About("Bulgarian", "bul", "Cyrl"),
    "bn": About("Bengali", "ben", "Beng"),
    "bs": About("Bosnian", "bos", "Latn"),
    "ca": About("Catalan", "cat", "Latn"),
    "cs": About("Czech", "ces", "Latn"),
    "cy": About("Welsh", "cym", "Latn"),
    "da": About("Danish", "dan", "Latn"),
    "el": About("Greek", "ell", "Grek"),
    "et": About("Estonian", "est", "Latn"),
    "eu": About("Basque", "eus", "Latn"),
    "fa": About("Persian", "pes", "Arab"),
    "fi": About("Finnish", "fin", "Latn"),
    "gu": About("Gujarati", "guj", "Gujr"),
    "hi": About("Hindi", "hin", "Deva"),
    "hr": About("Croatian", "hrv", "Latn"),
    "hu": About("Hungarian", "hun", "Latn"),
    "hy": About("Armenian", "hye", "Armn"),
    "id": About("Indonesian", "ind", "Latn"),
    "is": About("Icelandic", "isl", "Latn"),
    "ja": About("Japanese", "jpn", "Jpan"),
    "ka": About("Georgian", "kat", "Geor"),
    "kk": About("Kazakh", "kaz", "Cyrl"),
    "ko": About("Korean", "kor", "Hang"),
    "lt": About("Lithuanian", "lit", "Latn"),
    "lv": About("Latvian", "lvs", "Latn"),
    "mk": About("Macedonian", "mkd", "Cyrl"),
    "mr": About("Marathi", "mar", "Deva"),
    "ms": About("Malay", "zsm", "Latn"),
    "nb": About("Norwegian", "nob", "Latn"),
    "nl": About("Dutch", "nld", "Latn"),
    "pa": About("Punjabi", "pan", "Guru"),
    "pl": About("Polish", "pol", "Latn"),
    "pt": About("Portuguese", "por", "Latn"),
    "ro": About("Romanian", "ron", "Latn"),
    "ru": About("Russian", "rus", "Cyrl"),
    "sk": About("Slovak", "slk", "Latn"),
    "sl": About("Slovene", "slv", "Latn"),
    "sq": About("Albanian", "als", "Latn"),
    "sr": About("Serbian", "srp", "Cyrl"),
    "sv": About("Swedish", "swe", "Latn"),
    "sw": About("Swahili", "swh", "Latn"),
    "ta": About("Tamil", "tam", "Taml"),
    "te": About("Telugu", "tel", "Telu"),
    "th": About("Thai", "tha", "Thai"),
    "tl": About("Tagalog", "tgl", "Latn"),
    "tr": About("Turkish", "tur", "Latn"),
    "uk": About("Ukrainian", "ukr", "Cyrl"),
    "ur": About("Urdu", "urd", "Arab"),
    "vi": About("Vietnamese", "vie", "Latn"),
}


_MEANT: Mapping[str, Language] = {
    "cn": "zh", "cz": "cs", "dk": "da", "gr": "el", "jp": "ja", "no": "nb", "ua": "uk",
    "chinese": "zh", "farsi": "fa",
}  # fmt: skip
"""What people write for a language, beside its name: mostly the code of a country."""


def meant_language(word: str) -> Language | None:
    """The language that a word stands for which is no code of ours: `pt-BR`, `pol`, `Polish`."""
    key = word.strip().casefold()
    for code, about in ABOUT.items():
        names = (code, about.iso639_3, about.name.casefold())
        if key in names or key.replace("_", "-").partition("-")[0] == code:
            return code
    return _MEANT.get(key)


def language_name(code: str) -> str:
    """The English name of a language of the vocabulary, for cards and tables."""
    return ABOUT[code].name  # type: ignore[index]  # a column's values are of type str
