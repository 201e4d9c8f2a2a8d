"""How texts are spelled by letters, and that letters are single tokens."""

from __future__ import annotations

import pytest

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
