"""What XTTS can be given to read: pieces within its limits, of characters that it knows."""

from __future__ import annotations

import re
from typing import Any

from pipeline.scripts import is_said

_BREAK = re.compile(r"(?<=[.!?…;:,])\s+|(?<=[。！？；：，、])|\s+")
_SENTENCE_END = tuple(".!?…。！？")
_LONGEST_REASON = 80
"""Characters; num2words repeats the digits and all that it could have counted to."""


def pieces(text: str, limit: int) -> list[str] | None:
    """The text in pieces of at most `limit` characters, cut at the ends of sentences if it can be.

    Else it is cut between words; None where a word is longer than the limit.
    """
    parts = [part for part in _with_breaks(text) if part.strip()]
    if any(len(part.strip()) > limit for part in parts):
        return None
    made: list[str] = []
    while parts:
        count = _fitting(parts, limit)
        made.append("".join(parts[:count]).strip())
        parts = parts[count:]
    return made


def _with_breaks(text: str) -> list[str]:
    """The text cut wherever it may be, each part with the white space after it."""
    ends = [match.end() for match in _BREAK.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def _fitting(parts: list[str], limit: int) -> int:
    """How many parts fit: all of them, or up to the last end of a sentence, or of a word."""
    fitting = len(parts)
    while len("".join(parts[:fitting]).strip()) > limit:
        fitting -= 1
    if fitting == len(parts):
        return fitting
    sentences = [
        at for at in range(1, fitting + 1) if parts[at - 1].rstrip().endswith(_SENTENCE_END)
    ]
    return sentences[-1] if sentences else fitting


def encode(tokenizer: Any, text: str, language: str) -> list[int] | str:
    """Text tokens by coqui-tts' `VoiceBpeTokenizer`, or why there are none, in a sentence.

    Raises:
        ModuleNotFoundError: what Japanese is read with is not installed.
    """
    if language == "ja":
        _need_romanizer(tokenizer)
    try:
        tokens: list[int] = tokenizer.encode(text.strip().lower(), lang=language)
    except ImportError:
        raise
    # num2words and cutlet raise whatever Python says of a text that they were not written for.
    except Exception as error:
        return (
            f"text {text[:40]!r} can't be spelled out for xtts as {language!r} "
            f"({repr(error)[:_LONGEST_REASON]}): write numbers out in words"
        )
    unknown = tokenizer.tokenizer.token_to_id("[UNK]")
    if unknown in tokens and (letters := _unknown_letters(tokenizer, text, language, unknown)):
        return f"text {text[:40]!r} has letters that xtts can't read as {language!r}: {letters}"
    return tokens


def _need_romanizer(tokenizer: Any) -> None:
    """Open what coqui-tts reads Japanese with, which it looks for in the middle of the work only.

    Raises:
        ModuleNotFoundError: the package, or the dictionary that it needs, is not installed.
    """
    try:
        _ = tokenizer.katsu
    except (ImportError, RuntimeError) as error:  # fugashi's, where it finds no dictionary
        raise ModuleNotFoundError(
            "xtts reads Japanese with cutlet and a dictionary, which are not installed: "
            "pip install cutlet unidic-lite"
        ) from error


def _unknown_letters(tokenizer: Any, text: str, language: str, unknown: int) -> str:
    """Signs that the vocabulary lacks and that are said; of others, nothing is heard anyway."""
    read = tokenizer.preprocess_text(text.strip().lower(), language)
    letters = sorted(set(filter(is_said, read)))
    return "".join(one for one in letters if unknown in tokenizer.tokenizer.encode(one).ids)
