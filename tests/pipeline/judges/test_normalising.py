"""Texts that differ in sound stay different, and those that differ in spelling alone become one."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from pipeline.judges.agreement import agreement, normaliser


def compare(wanted, heard, language):
    return agreement(wanted, heard, language, normaliser(language))


@pytest.mark.parametrize(
    ("language", "wanted", "heard", "cer", "wer"),
    [
        ("th", "ข้าว", "ข่าว", 1 / 4, 1 / 3),
        ("hi", "वह दीन है", "वह दान है", 1 / 9, 1 / 3),
        ("mr", "माता", "मिता", 1 / 4, 1),
        ("bn", "কাল", "কিল", 1 / 3, 1),
        ("gu", "કાલ", "કીલ", 1 / 3, 1),
        ("pa", "ਕਾਲ", "ਕੀਲ", 1 / 3, 1),
        ("ta", "பல்", "பால்", 1 / 3, 1),
        ("te", "కాల", "కీల", 1 / 3, 1),
    ],
)  # fmt: skip
def test_vowel_signs_and_tone_marks_count_and_part_no_word(language, wanted, heard, cer, wer):
    scores = compare(wanted, heard, language)
    assert scores["cer"] == pytest.approx(cer)
    assert scores["wer"] == pytest.approx(wer)


def test_in_thai_a_letter_with_its_marks_is_a_unit():
    assert normaliser("th")("ข้าวครับ!").split() == ["ข้", "า", "ว", "ค", "รั", "บ"]


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("hi", "क्या? नहीं… (हँसते हुए) [हँसी]", "क्या नहीं"),
        ("hi", "क्\u200dया", "क्या"),
        ("hi", "\u0921\u093c", "\u095c"),
        ("hi", "हाँ ❤️ 5️⃣", "हाँ 5"),
        ("ar", "كِتَابٌ، كِتَابٌ!", "كتاب كتاب"),
        ("fa", "می\u200cخواهم", "میخواهم"),
        ("ur", "\u200fاُردو۔", "اردو"),
        ("tr", "İnanamıyorum! ISINDIM", "inanamıyorum ısındım"),
        ("tr", "I\u0307nanamıyorum", "inanamıyorum"),
        ("az", "İnanmıram", "inanmıram"),
        ("sr", "Не могу да верујем, Љиљана!", "Ne mogu da verujem, Ljiljana"),
        ("zh", "這樣說話的時候，我覺得後悔。", "这样说话的时候，我觉得后悔"),
        ("zh", "皇后後來頭髮發白", "皇后后来头发发白"),
        ("sr", "Ђак, џеп и њушка: ћевап, жаба, шах.", "đak džep i njuška ćevap žaba šah"),
    ],
)
def test_what_is_written_in_two_ways_is_compared_in_one(language, one, other):
    scores = compare(one, other, language)
    assert scores["cer"] == scores["wer"] == 0


def test_hamza_and_madda_are_letters_and_no_vowel_points():
    assert compare("آن", "ان", "fa")["cer"] == pytest.approx(1 / 2)
    assert compare("سأل", "سال", "ar")["cer"] == pytest.approx(1 / 3)


def test_a_serbian_word_that_is_another_is_one_in_either_script():
    assert compare("кућа", "kuća", "sr")["cer"] == 0
    assert compare("кућа", "kuca", "sr")["cer"] == pytest.approx(1 / 4)
    assert compare("кућа", "куца", "sr")["cer"] == pytest.approx(1 / 4)


@pytest.mark.parametrize("language", ["en", "de", "fr", "it", "es", "zh"])
def test_the_demo_s_languages_are_normalised_as_whisper_does_it(language):
    from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

    basic = BasicTextNormalizer(split_letters=language == "zh")
    whisper = EnglishTextNormalizer() if language == "en" else basic
    normalise = normaliser(language)
    table = files("pipeline.corpora").joinpath("quickstart.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    texts = [row[language] for row in rows]
    assert len(texts) == 91
    for text in [*texts, "İ I e\u0301x\u0301 a\u200db ❤️ (ha) [ha] ﬁ 12,5", *map(str.upper, texts)]:
        assert normalise(text) == whisper(text)
