"""How texts are spelled by letters, and that letters are single tokens."""

from __future__ import annotations

import pytest

from pipeline.judges.agreement import agreement, normaliser
from pipeline.whisper.spelling import APOSTROPHE, LETTERS, spell


@pytest.mark.parametrize(
    ("text", "language", "letters"),
    [
        ("Don’t you — dare!", "en", "don't you dare"),
        ("‘Quoted’ and 'quoted'", "en", "quoted and quoted"),
        ("J'ai vu l'œuf, où?", "fr", "j'ai vu l'œuf où"),
        ("GRÜẞE aus Ångström", "de", "grüße aus angström"),
        ("¡Qué año!", "es", "qué año"),
        ("你怎么敢背着我！", "zh", "ni zen me gan bei zhe wo"),
        ("用 Python 写", "zh", "yong python xie"),
        ("?!", "it", ""),
        ("Rock ’ roll", "en", "rock roll"),
        ("[laughs]", "en", ""),
        ("[laughs] Stop (it hurts) <breath>it!", "en", "stop it"),
        ("(a [b) c] d", "fr", "a d"),
    ],
)
def test_what_is_not_spoken_is_not_spelled(text, language, letters):
    assert spell(text, language, "letters") == letters


def test_spelling_what_is_spelled_changes_nothing():
    once = spell("你怎么敢背着我偷看！", "zh", "letters")
    assert spell(once, "zh", "letters") == once


def test_by_tokens_a_text_stays_as_it_is():
    assert spell("Wie geht’s?", "de", "tokens") == "Wie geht’s?"


def test_every_letter_is_one_token():
    from whisper.tokenizer import get_tokenizer

    encode = get_tokenizer(True).encode
    assert {len(encode(letter)) for letter in LETTERS + APOSTROPHE + " "} == {1}


@pytest.mark.parametrize("text", ["[laughs] Stop it!", "<a> b (c)", "(a [b) c] d", "a < b", "( )"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_either_spelling_has_the_same_words_compared(text, language):
    by_letters, by_tokens = (normaliser(language, one)(text) for one in ("letters", "tokens"))
    assert by_letters.split() == by_tokens.split()


@pytest.mark.parametrize("spelling", ["letters", "tokens"])
def test_a_text_that_is_a_remark_alone_can_not_be_judged(spelling):
    with pytest.raises(ValueError, match="empty after normalisation"):
        agreement("[laughs]", "laughs", "en", normaliser("en", spelling))
