"""What is read aloud: words drawn at random by their frequency, so that no sentence is learned.

A model that had met a sentence would complete it although its end was cut off. Words in random
order teach the sounds and the spelling of a language, and nothing of what comes next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipeline.languages import Language
from pipeline.whisper.checkpoint import BUNDLED
from pipeline.whisper.spelling import LETTERS, spell

TAUGHT: tuple[Language, ...] = BUNDLED["small-espeak"]
"""The languages that are read aloud."""
WORDS = 12_000
"""Words of a language, the most frequent (wordfreq, Speer 2022: its lists are CC BY-SA 4.0)."""

_SHIFT = 10.0
"""Of the ranks in Zipf's law (Mandelbrot 1953), so that half of all words are not twenty."""
READ = LETTERS + "áãå"
"""Letters of words that are read aloud; those that the spelling lacks lose their accent in it."""
_LATIN = re.compile(rf"(?=.*[aeiouyàáâäæèéêëìíîïòóôöùúûüœ])[{READ}]+('[{READ}]+)*")
HAN = re.compile("[\u4e00-\u9fff]+")
_ELIDED = frozenset(("l", "d", "j", "n", "s", "c", "m", "t", "qu"))
"""French words that wordfreq splits off the next one."""
_VOWELS = frozenset("aeiouyhéèêâîôàœ")
_MARKS = (",", ".", "!", "?")
_MARK_SHARE, _END_MARK_SHARE = 0.06, 0.5


@dataclass(frozen=True)
class Sentence:
    """A text to be read, how it is spelled, and where each letter stands in the text [L]."""

    language: Language
    text: str
    letters: str
    places: tuple[float, ...]


@lru_cache
def word_list(language: Language) -> tuple[tuple[str, ...], np.ndarray]:
    """The words of a language and the probability of each."""
    from wordfreq import top_n_list

    pattern = HAN if language == "zh" else _LATIN
    words = [word for word in top_n_list(language, WORDS) if pattern.fullmatch(word)]
    if language == "fr":
        words = [word for word in words if word not in _ELIDED]
    weights = 1 / (np.arange(len(words)) + _SHIFT)
    return tuple(words), weights / weights.sum()


def draw(language: Language, count: int, random: np.random.Generator) -> Sentence:
    """A sentence of `count` random words."""
    words, weights = word_list(language)
    chosen = [words[i] for i in random.choice(len(words), count, p=weights)]
    if language == "fr":
        chosen = [_with_elision(word, random) for word in chosen]
    marks = random.random(count)
    text, starts = "", []
    for number, word in enumerate(chosen):
        starts.append(len(text))
        text += word
        if marks[number] < (_END_MARK_SHARE if number == count - 1 else _MARK_SHARE):
            text += _MARKS[random.integers(len(_MARKS))] if number == count - 1 else ","
        if language != "zh":
            text += " "
    return spelled(language, text.strip(), chosen, starts)


def _with_elision(word: str, random: np.random.Generator) -> str:
    """`l'eau`, `d'une`, `qu'il` for some of the French words that begin with a vowel."""
    if word[0] not in _VOWELS or "'" in word or random.random() > 0.25:
        return word
    return f"{sorted(_ELIDED)[random.integers(len(_ELIDED))]}'{word}"


def spelled(language: Language, text: str, words: list[str], starts: list[int]) -> Sentence:
    """A text whose `words` start at `starts`, with its letters and their places.

    Mandarin's syllables are those of its characters in the text.

    Raises:
        ValueError: Mandarin that has not a syllable for every character.
    """
    if language == "zh":
        at = [
            start + i for start, word in zip(starts, words, strict=True) for i in range(len(word))
        ]
        units = spell(text, language, "letters").split()
        if len(units) != len(at):
            raise ValueError(f"{text!r} has {len(at)} characters but {len(units)} syllables")
        lengths = [1] * len(units)
    else:
        at, lengths = starts, [len(word) for word in words]
        units = [spell(word, language, "letters") for word in words]
    letters = ""
    places: list[float] = []
    for start, unit, length in zip(at, units, lengths, strict=True):
        if letters:
            letters, places = letters + " ", [*places, float(start)]
        letters += unit
        places += [start + length * i / len(unit) for i in range(len(unit))]
    return Sentence(language, text, letters, tuple(places))
