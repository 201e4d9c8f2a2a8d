"""A text is translated sentence by sentence, by an engine that learned from single ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.languages import Language
from pipeline.records import Failure
from pipeline.translation.base import Sentence, Translate, Translation

_ABBREVIATIONS = frozenset({
    "mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "mt", "gen", "col", "sgt", "capt",
    "lt", "rev", "hon", "e.g", "i.e", "a.m", "p.m", "u.s", "u.k",
})  # fmt: skip
"""Of English; before a capital their stop mostly ends nothing."""
_BEFORE_NUMBERS = "no"
"""An abbreviation before a number, and else a sentence by itself."""
_LONGEST_WORD = 20
"""Characters before a mark in which an abbreviation is looked for."""
_MARKS = ".!?…।؟۔"
_OPENING = "\"'“‘„«([¿¡"
_END = re.compile(
    rf"""(?<![{_MARKS}])([{_MARKS}]+)["'”’»)\]]*\s+(?=[{re.escape(_OPENING)}]*(\S))"""
)
"""A mark, also of Devanagari or Arabic, with a space behind it."""
_WIDE_END = re.compile(r"(?<=[。！？])(?![。！？”’」』）])")
"""Of Mandarin and Japanese, which put no space behind it; closing quotes stay with theirs."""
_UNSPACED: tuple[Language, ...] = ("zh", "ja")
"""Languages that put no space between sentences."""


def by_sentence(translate: Translate) -> Translate:
    """An engine's function, which only ever sees one sentence at a time; the answers are joined.

    Given several at once, a model that learned from pairs of single ones may leave out the later.
    """

    def split(
        texts: Sequence[Sentence], source: Language, target: Language
    ) -> list[Translation | Failure]:
        parts = [sentences_of(one.text) or [one.text] for one in texts]
        every = [
            replace(one, text=part) for one, own in zip(texts, parts, strict=True) for part in own
        ]
        answers = iter(translate(every, source, target))
        return [_joined([next(answers) for _ in own], target) for own in parts]

    return split


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, in their order; one where their ends can't be told.

    Scripts without marks, as Thai's, have no ends that can be told.
    """
    found, start = [], 0
    for end in _END.finditer(text):
        before = text[max(start, end.start() - _LONGEST_WORD) : end.start()]
        if _ends(before, end[1], end[2]):
            found.append(text[start : end.end()])
            start = end.end()
    found.append(text[start:])
    return _with_words(part.strip() for one in found for part in _WIDE_END.split(one))


def _ends(before: str, mark: str, following: str) -> bool:
    """Whether a mark ends a sentence, by what stands before it and the letter that follows.

    Before a small letter it is a pause; behind an abbreviation, or a letter alone as of a name, one
    stop is no end.
    """
    word = before.rpartition(" ")[2].lstrip(_OPENING).lower()
    if word == _BEFORE_NUMBERS and following.isdecimal():
        return False
    short = word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha())
    return not following.islower() and not (mark == "." and short)


def _with_words(parts: Iterable[str]) -> list[str]:
    """The parts, of which those without a letter or digit, as a smiley, go with the one before."""
    found: list[str] = []
    for part in filter(None, parts):
        if found and not any(map(str.isalnum, part)):
            found[-1] += f" {part}"
        else:
            found.append(part)
    return found


def _joined(answers: Sequence[Translation | Failure], target: Language) -> Translation | Failure:
    said = [one for one in answers if isinstance(one, Translation)]
    failed = [one for one in answers if isinstance(one, Failure)]
    if failed:
        return failed[0]
    space = "" if target in _UNSPACED else " "
    return Translation(
        space.join(one.text for one in said), any(one.hit_length_cap for one in said)
    )
