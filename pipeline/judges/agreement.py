"""How far a transcript agrees with the wanted text: pure functions of two strings.

Both sides first go through Whisper's own normalisers (Radford et al. 2022, appendix C), so that
casing, punctuation and, in English, spelled numbers and contractions don't count; where they fail
at a script, `pipeline.judges.normalising` mends them. They don't map digits to words outside
English or to another script's digits, nor Arabic's forms of a letter to Persian's and Urdu's; a
stress mark parts a word in Cyrillic. Where a checkpoint spells by letters, the wanted text is
spelled likewise before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jiwer
from rapidfuzz.distance import Levenshtein

from pipeline.judges.normalising import cleaning, in_one_spelling
from pipeline.languages import Language
from pipeline.whisper.spelling import Spelling, spell

UNSPACED = ("zh", "ja", "th", "lo", "my", "yue")
"""Languages without spaces between words (as in Whisper's tokenizer): every character is a unit,
so that the word error rate is the character error rate; in pinyin, every syllable; in Thai, every
letter with its marks."""

_REPEATED_UNITS = 4

Normalise = Callable[[str], str]


def normaliser(language: Language, spelling: Spelling = "tokens") -> Normalise:
    """Whisper's normaliser of a language, the English one or the basic one, behind the spelling.

    The basic one is mended where it fails at the script.
    """
    from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

    if language == "en":
        whisper: Normalise = EnglishTextNormalizer()
    else:
        split = language in UNSPACED and spelling == "tokens"
        whisper = basic = BasicTextNormalizer(split_letters=split)
        basic.clean = cleaning(language) or basic.clean
    return lambda text: whisper(in_one_spelling(spell(text, language, spelling), language))


def agreement(wanted: str, heard: str, language: str, normalise: Normalise) -> dict[str, float]:
    """Error rates and what is missing at the ends, as shares of the wanted text.

    `cer` and `wer` are edit distances over the wanted length (above 1 where more was said than
    wanted). `missing_start` and `missing_end`: see `missing`. `repetition`: see `repetition`.

    Raises:
        ValueError: nothing of the wanted text is left by the normaliser.
    """
    wanted, heard = normalise(wanted).strip(), normalise(heard).strip()
    units, heard_units = wanted.split(), heard.split()
    if language in UNSPACED:
        wanted, heard = "".join(units), "".join(heard_units)
    if not wanted:
        raise ValueError("text is empty after normalisation; there is nothing to compare with")
    return {
        "cer": jiwer.cer(wanted, heard),
        "wer": jiwer.wer(" ".join(units), " ".join(heard_units)),
        "missing_start": missing(wanted, heard),
        "missing_end": missing(wanted[::-1], heard[::-1]),
        "repetition": max(0.0, repetition(heard_units) - repetition(units)),
    }


def missing(wanted: str, heard: str) -> float:
    """The largest share of `wanted`, from its start, that a best alignment leaves unspoken.

    A cut-off sentence has many alignments of the same cost, most of which scatter the cut. Of a
    start of k characters it is said that it is missing if dropping it and aligning the rest costs
    no more than the best alignment of the whole.
    """
    best = Levenshtein.distance(wanted, heard)
    for cut in range(best, 0, -1):
        if cut + Levenshtein.distance(wanted[cut:], heard) == best:
            return cut / len(wanted)
    return 0.0


def repetition(units: Sequence[str]) -> float:
    """Share of 4-grams that occurred before: seq-rep-4 (Welleck et al. 2020, section 3)."""
    grams = [tuple(units[i : i + _REPEATED_UNITS]) for i in range(len(units) - _REPEATED_UNITS + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
