"""Which script a text is in, and which text can't be in its language."""

from __future__ import annotations

import pytest

from pipeline.scripts import is_said, script_error, script_share


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [
        ("Lass mich!", "de", 1.0),
        ("Straße, Äpfel", "de", 1.0),
        ("别管我！", "zh", 1.0),
        ("Lass mich!", "zh", 0.0),
        ("别管我！", "de", 0.0),
        ("Лass", "de", 0.75),
        ("42!", "de", 0.0),
        ("ラーメンを食べる", "ja", 1.0),
        ("私はFranzです", "ja", 4 / 9),
        ("मैं ठीक हूँ", "hi", 1.0),
    ],
)
def test_the_script_is_told_by_the_letters(text, language, share):
    assert script_share(text, language) == share


@pytest.mark.parametrize("language", ["en", "de", "zh", "ka"])
@pytest.mark.parametrize(
    ("text", "script"),
    [("مرحبا بالعالم", "ARABIC"), ("Привет!", "CYRILLIC"), ("OK, こんにちは", "HIRAGANA")],
)
def test_a_text_in_another_script_is_named_by_it(language, text, script):
    error = script_error(text, language)
    assert f"is in {script} letters" in error
    assert "\n" not in error


def test_mandarin_is_no_english():
    assert "is in CJK letters, and English is written in LATIN" in script_error("别管我！", "en")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The word Ζωή means life, my dear.", "en"),
        ("She said 你好 to me and left.", "en"),
        ("¿Qué? 1.º, 2.ª", "es"),
        ("ﬁne", "en"),
        ("别管我！", "zh"),
        ("ＯＫ！", "zh"),
        ("OK!", "zh"),
        ("42!", "en"),
        ("?!", "zh"),
        ("", "de"),
    ],
)
def test_a_name_a_loan_word_or_a_number_is_no_other_script(text, language):
    assert script_error(text, language) is None


def test_marks_are_said_where_they_are_vowels_or_tones():
    assert all(map(is_said, "aß9は้िീ\u0301"))
    assert not any(map(is_said, "-… \ufe0f\u064b\u200d!"))
