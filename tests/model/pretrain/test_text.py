"""What the small Whisper reads: random words, and where each letter stands in the text."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.whisper.spelling import spell

pytest.importorskip("wordfreq", reason="needs the extra `pretrain`")

from model.pretrain.text import TAUGHT, draw, word_list


def drawn(language, count=6, seed=0):
    return draw(language, count, np.random.default_rng(seed))


@pytest.mark.parametrize("language", TAUGHT)
def test_a_sentence_is_spelled_as_the_judge_would_spell_it(language):
    for seed in range(20):
        sentence = drawn(language, seed=seed)
        assert sentence.letters == spell(sentence.text, language, "letters")
        assert len(sentence.places) == len(sentence.letters)
        assert list(sentence.places) == sorted(sentence.places)
        assert 0 <= sentence.places[0] <= sentence.places[-1] < len(sentence.text)


@pytest.mark.parametrize("language", TAUGHT)
def test_a_letter_stands_where_its_place_says(language):
    sentence = drawn(language)
    for letter, place in zip(sentence.letters, sentence.places, strict=True):
        character = sentence.text[int(place)]
        if language == "zh":
            assert letter == " " or letter in spell(character, language, "letters")
        elif letter != " ":
            assert letter == character


def test_the_same_seed_draws_the_same_sentence():
    assert drawn("fr") == drawn("fr") != drawn("fr", seed=1)


def test_french_words_that_wordfreq_splits_are_joined_again():
    words = [word for seed in range(60) for word in drawn("fr", seed=seed).text.split()]
    assert any("'" in word for word in words)
    assert not {"l", "d", "qu"} & set(words)


def test_frequent_words_are_drawn_more_often():
    words, weights = word_list("de")
    assert weights[words.index("nicht")] > 10 * weights[-1] > 0
    assert weights.sum() == pytest.approx(1)
