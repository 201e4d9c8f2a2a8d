"""How a checkpoint spells what it hears: as Whisper writes it, or by letters.

A small model can't learn Whisper's 50 000 merged tokens from nothing in an hour, and even less the
thousands of characters of Mandarin, most of which share their sound with others. So it spells by
letters: text in lower case, one letter a token, without punctuation; and Mandarin in pinyin without
tones, its syllables apart. Six languages then share some sixty tokens. What such a model can't tell
is what its spelling doesn't write: tones, and characters of the same syllable.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Spelling = Literal["tokens", "letters"]

LETTERS = "abcdefghijklmnopqrstuvwxyzàâäæçèéêëìíîïñòóôöùúûüœß"
APOSTROPHE = "'"
"""Kept within words: `don't`, `l'eau`."""

_REMARKS = re.compile(r"[<\[][^>\]]*[>\]]"), re.compile(r"\([^)]+?\)")
"""What Whisper's normalisers take out of both texts before they are compared, in this order:
`[laughs]`, `(laughs)` (Radford et al. 2022, appendix C)."""


def spell(text: str, language: str, spelling: Spelling) -> str:
    """The text as a checkpoint of this spelling would write it.

    Digits are left as nothing in letters: write numbers out. A remark in brackets is no speech;
    it goes before its brackets do, which is how a text by tokens is compared.
    """
    if spelling == "tokens":
        return text
    for remark in _REMARKS:
        text = remark.sub("", text)
    if language == "zh":
        text = _pinyin(text)
    written = "".join(map(_letter, text.lower().replace("’", APOSTROPHE)))
    return " ".join(word.strip(APOSTROPHE) for word in written.split() if word.strip(APOSTROPHE))


def _pinyin(text: str) -> str:
    """Toneless pinyin, its syllables set apart by spaces."""
    from pypinyin import lazy_pinyin

    return " ".join(lazy_pinyin(text))


def _letter(character: str) -> str:
    """A letter of ours as it is; another without its accent; anything else is a space."""
    if character in LETTERS or character == APOSTROPHE:
        return character
    bare = unicodedata.normalize("NFKD", character)
    return "".join(c for c in bare if c in LETTERS) or (
        "" if unicodedata.combining(character) else " "
    )
