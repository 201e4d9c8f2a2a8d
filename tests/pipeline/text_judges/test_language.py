"""Which language a line is in."""

from __future__ import annotations

import pytest

from pipeline.records import Failure
from pipeline.text_judges.base import TextItem
from pipeline.text_judges.language import TextLanguage, candidates

SENTENCES = {
    "en": "Nobody told me that you were leaving today.",
    "de": "Niemand hat mir gesagt, dass du heute gehst.",
    "fr": "Personne ne m'a dit que tu partais aujourd'hui.",
    "it": "Nessuno mi ha detto che saresti partito oggi.",
    "es": "Nadie me dijo que te ibas hoy.",
    "zh": "没有人告诉我你今天要走。",
}


def line(text, language):
    return TextItem("Nobody told me.", text, language, "sad")


def probability(languages, text, language):
    [scores] = TextLanguage().load(languages)([line(text, language)])
    return scores["text_language_probability"]


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_in_its_own_language_and_in_no_other(language):
    judge_batch = TextLanguage().load(tuple(SENTENCES))
    answers = judge_batch([line(SENTENCES[language], other) for other in SENTENCES])
    found = dict(zip(SENTENCES, (a["text_language_probability"] for a in answers), strict=True))
    assert max(found, key=found.get) == language
    assert found[language] > 0.6
    assert sum(found.values()) == pytest.approx(1.0)


def test_what_was_left_in_english_is_found_even_where_english_is_not_wanted():
    assert probability(("de", "fr"), SENTENCES["en"], "de") < 0.1


@pytest.mark.parametrize("language", SENTENCES)
def test_a_recipe_of_one_language_still_tells_right_from_wrong(language):
    right = probability((language,), SENTENCES[language], language)
    wrong = probability((language,), SENTENCES["de" if language == "en" else "en"], language)
    assert wrong < 0.2 < 0.7 < right


def test_candidates_are_the_recipes_languages_and_english_and_always_two_or_more():
    assert candidates(("de", "fr")) == ("de", "fr", "en")
    assert candidates(("en", "it")) == ("en", "it")
    assert candidates(("en",)) == tuple(SENTENCES)


@pytest.mark.parametrize("text", ["😀😀", "42", "مرحبا بالعالم"])
def test_a_text_without_a_letter_of_the_languages_scores_zero(text):
    assert probability(("en", "de"), text, "de") == 0.0


def test_a_blank_text_and_a_foreign_line_fail_with_the_reason():
    judge_batch = TextLanguage().load(("en", "de"))
    blank, foreign = judge_batch([line(" \n", "de"), line("Hallo", "zh")])
    assert blank == Failure("check", "the text is blank, so it has no language")
    assert isinstance(foreign, Failure)
    assert "'zh'" in foreign.error
