"""Sentences that people wrote, to be read aloud: whole, or a run of their words.

Random words alone teach no word's neighbours, and in English and French it takes these to know
where a word ends and how it is spelled. A run of words from anywhere in a sentence, and clips that
are cut off, keep the model from completing what isn't said.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from model.pretrain.text import HAN, READ, TAUGHT, Sentence, spelled
from pipeline.languages import Language

Sentences = Mapping[Language, tuple[str, ...]]

_RUN_SHARE = 0.4
"""Of the sentences are read in part although they are short enough."""
_HAN_PER_WORD = 1.7
"""Characters of Mandarin that count as a word."""
_FIRST = 1000
_FOLDERS: Mapping[Language, str] = {"zh": "zh-CN"}
_MARKS = "-,.;:!?¡¿«»„“”\"'’…–— "
_LATIN = re.compile(rf"[{READ}{re.escape(_MARKS)}]+", re.IGNORECASE)
_MANDARIN = re.compile("[\u4e00-\u9fff，。！？、；：“”…]+")
_WORD = re.compile(rf"[{READ}]+(?:['’][{READ}]+)*", re.IGNORECASE)
_CAPITALS = re.compile(r"\b[^\W\d_a-z]{2,}\b")
"""An abbreviation, which is read letter by letter, or shouting."""


@lru_cache(maxsize=1)
def read_sentences(folder: str) -> Sentences:
    """The lines of all text files in `en`, `de` and so on of a folder: a sentence each.

    It is the layout of Common Voice's repository, `server/data` (CC0;
    github.com/mozilla/common-voice).

    Raises:
        ValueError: a language has no file, or none of its first lines can be read aloud.
    """
    return {language: _lines(folder, language) for language in TAUGHT}


def _lines(folder: str, language: Language) -> tuple[str, ...]:
    own = Path(folder, _FOLDERS.get(language, language))
    texts = [path.read_text("utf-8") for path in sorted(own.glob("*.txt"))]
    lines = tuple(dict.fromkeys(line for text in texts for line in text.splitlines()))
    if not any(_readable(line, language) for line in lines[:_FIRST]):
        raise ValueError(f"{own}: no .txt file in it whose first {_FIRST} lines can be read aloud")
    return lines


def draw_sentence(
    language: Language, longest: int, sentences: Sentences, random: np.random.Generator
) -> Sentence:
    """A random sentence, or a run of at most `longest` of its words.

    Sentences with digits, abbreviations or letters of other languages are passed over, and so are
    those of the quickstart, on which the model is measured.
    """
    own = sentences[language]
    text = own[random.integers(len(own))]
    while not _readable(text, language):
        text = own[random.integers(len(own))]
    pieces = list(HAN.finditer(text) if language == "zh" else _WORD.finditer(text))
    spans = [place for piece in pieces for place in _spans(piece, language)]
    most = round(longest * _HAN_PER_WORD) if language == "zh" else longest
    start, end = 0, len(text)
    if len(spans) > most or random.random() < _RUN_SHARE:
        count = int(random.integers(1, min(most, len(spans)) + 1))
        first = int(random.integers(len(spans) - count + 1))
        spans = spans[first : first + count]
        start, end = spans[0][0], spans[-1][1]
    words = [text[one:other] for one, other in spans]
    return spelled(language, text[start:end], words, [one - start for one, _ in spans])


def _spans(piece: re.Match[str], language: Language) -> Iterator[tuple[int, int]]:
    """Where the units of a piece start and end: a word, or each character of Mandarin."""
    if language == "zh":
        yield from ((at, at + 1) for at in range(piece.start(), piece.end()))
    else:
        yield piece.span()


def _readable(line: str, language: Language) -> bool:
    if _bare(line) in _measured():
        return False
    if language == "zh":
        return _MANDARIN.fullmatch(line) is not None and HAN.search(line) is not None
    return (
        _LATIN.fullmatch(line) is not None
        and _WORD.search(line) is not None
        and _CAPITALS.search(line) is None
    )


@lru_cache
def _measured() -> frozenset[str]:
    """The quickstart's sentences in all languages, bare."""
    table = files("pipeline.corpora").joinpath("quickstart.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return frozenset(_bare(row[language]) for row in rows for language in TAUGHT)


def _bare(text: str) -> str:
    """Letters in lower case alone, so that no mark hides an equal sentence."""
    return "".join(filter(str.isalpha, text.lower()))
