"""What people wrote, read aloud: whole, or a run of its words; never what is measured on."""

from __future__ import annotations

import numpy as np
import pytest

from model.pretrain.sentences import draw_sentence, read_sentences
from model.pretrain.text import TAUGHT
from pipeline.whisper.spelling import spell

WRITTEN = {
    "en": "I don't know what you’re talking about, Anna-Maria!",
    "de": "Morgen früh fährt der Zug nach Köln.",
    "fr": "Qu’est-ce que tu fais là, l'ami ?",
    "it": "È già tardi, andiamo via.",
    "es": "¿Dónde está mi pequeño niño?",
    "zh": "明天早上我们去北京，好吗？",
}


@pytest.fixture
def folder(tmp_path):
    for language, line in WRITTEN.items():
        own = tmp_path / ("zh-CN" if language == "zh" else language)
        own.mkdir()
        (own / "a.txt").write_text(line + "\n", "utf-8")
    return tmp_path


def draws(folder, language, longest=12, count=40):
    sentences = read_sentences(str(folder))
    return [
        draw_sentence(language, longest, sentences, np.random.default_rng(seed))
        for seed in range(count)
    ]


@pytest.mark.parametrize("language", TAUGHT)
def test_a_sentence_is_spelled_as_the_judge_would_spell_it(folder, language):
    drawn = draws(folder, language)
    for sentence in drawn:
        assert sentence.text in WRITTEN[language]
        assert sentence.letters == spell(sentence.text, language, "letters")
        assert len(sentence.places) == len(sentence.letters)
        assert list(sentence.places) == sorted(sentence.places)
        assert 0 <= sentence.places[0] <= sentence.places[-1] < len(sentence.text)
    assert any(sentence.text == WRITTEN[language] for sentence in drawn)
    assert len({sentence.text for sentence in drawn}) > 5


@pytest.mark.parametrize("language", TAUGHT)
def test_a_long_sentence_is_read_in_runs(folder, language):
    for sentence in draws(folder, language, longest=3):
        assert 1 <= len(sentence.letters.split()) <= (5 if language == "zh" else 4)


def test_a_letter_stands_where_its_place_says(folder):
    for sentence in draws(folder, "en"):
        for letter, place in zip(sentence.letters, sentence.places, strict=True):
            if letter != " ":
                assert letter == sentence.text[int(place)].lower().replace("’", "'")


@pytest.mark.parametrize(
    "line",
    [
        "Nobody came to my party -- not even YOU",
        "He is 12 years old.",
        "The word is жизнь.",
        "how dare you read my letters behind my back",  # the quickstart's, without its marks
        "?!",
        "",
    ],
)
def test_what_can_not_be_read_or_is_measured_on_is_passed_over(folder, line):
    (folder / "en" / "b.txt").write_text(f"{line}\n" * 5, "utf-8")
    (folder / "en" / "c.txt").write_text("Good morning\n", "utf-8")
    for sentence in draws(folder, "en"):
        assert sentence.text in WRITTEN["en"] or sentence.text in "Good morning"


def test_a_language_without_sentences_is_named(folder):
    (folder / "it" / "a.txt").write_text("12\n", "utf-8")
    with pytest.raises(ValueError, match=r"it: no \.txt file in it whose first"):
        read_sentences(str(folder))
