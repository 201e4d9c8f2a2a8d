"""Error rates and what is missing, on texts whose answer is known."""

from __future__ import annotations

import pytest

from pipeline.judges.agreement import agreement, missing, normaliser, repetition


def compare(wanted, heard, language="en"):
    return agreement(wanted, heard, language, normaliser(language))


def test_casing_punctuation_and_spelled_numbers_dont_count():
    scores = compare("Twenty kids won't talk!", "20 kids will not talk")
    assert scores["cer"] == scores["wer"] == 0
    assert compare("Wie geht's, Anna?", "wie geht's anna", "de")["cer"] == 0
    assert compare("¡Hola!", "¡Hola!", "es")["cer"] == 0


def test_error_rates_are_shares_of_the_wanted_text():
    scores = compare("the dog sits by the door", "the cat sits by the door")
    assert scores["wer"] == pytest.approx(1 / 6)
    assert scores["cer"] == pytest.approx(3 / 24)
    assert compare("hello", "hello hello hello")["wer"] == 2
    assert compare("Der Hund sitzt dort.", "der hund steht dort", "de")["wer"] == 1 / 4


def test_mandarin_is_compared_by_characters():
    scores = compare("孩子们在门口说话。", "孩子们在门口唱话", "zh")
    assert scores["cer"] == scores["wer"] == pytest.approx(1 / 8)


def test_by_letters_the_wanted_text_is_spelled_as_the_transcript_is():
    normalise = normaliser("zh", "letters")
    assert normalise("孩子们在门口。") == "hai zi men zai men kou"
    scores = agreement("孩子们在门口。", "hai zi ren zai men kou", "zh", normalise)
    assert scores["wer"] == pytest.approx(1 / 6)
    assert scores["cer"] == pytest.approx(1 / 17)
    english = normaliser("en", "letters")
    assert agreement("Don't you DARE!", "don't you dare", "en", english)["cer"] == 0


@pytest.mark.parametrize(
    ("heard", "start", "end"),
    [
        ("kids are talking by the door", 0, 0),
        ("talking by the door", 9 / 28, 0),
        ("kids are talking", 0, 12 / 28),
        ("are talking by", 5 / 28, 9 / 28),
        ("kids are walking by the door", 0, 0),
        ("", 1, 1),
    ],
)
def test_a_cut_is_found_at_its_end(heard, start, end):
    scores = compare("Kids are talking by the door", heard)
    assert scores["missing_start"] == pytest.approx(start)
    assert scores["missing_end"] == pytest.approx(end)


def test_a_scattered_alignment_doesnt_hide_a_cut():
    assert missing("kids are talking by the door", "ing by the door") == pytest.approx(13 / 28)


def test_repetition_is_the_share_of_4_grams_seen_before():
    assert repetition(["a", "b", "c", "d", "e"]) == 0
    assert repetition(["a", "b", "c", "d", "a", "b", "c", "d"]) == pytest.approx(1 / 5)
    assert repetition(["no", "no"]) == 0


def test_what_the_text_itself_repeats_is_not_held_against_the_take():
    text = "no no no no no no"
    assert compare(text, text)["repetition"] == 0
    assert compare("come in please now", "come in please now " * 4)["repetition"] > 0.5


def test_a_text_that_normalises_to_nothing_is_refused():
    with pytest.raises(ValueError, match="empty after normalisation"):
        compare("[laughs]", "ha")
