"""What can be seen of a translation without understanding it."""

from __future__ import annotations

import pytest

from pipeline.records import Failure
from pipeline.text_judges.base import TextItem
from pipeline.text_judges.form import Form

SOURCE = "Leave me alone, I said."


def scores(text, language="de", **rest):
    [answer] = Form().load(("en", "de", "zh"))([TextItem(SOURCE, text, language, "angry", **rest)])
    return answer


def test_a_good_translation_has_nothing_to_be_blamed_for():
    found = scores("Lass mich in Ruhe, sag ich.")
    assert tuple(found) == tuple(Form.scores)
    assert found["text_length_ratio"] == pytest.approx(27 / 23)
    assert found["text_script_share"] == 1.0
    assert found["text_copied"] < 0.5
    assert found["text_repetition"] == found["text_hit_length_cap"] == 0.0


def test_an_untranslated_copy_is_one_whatever_its_case_and_marks():
    assert scores("leave me alone I said")["text_copied"] == 1.0


def test_english_is_no_copy_of_itself():
    assert scores(SOURCE, "en")["text_copied"] == 0.0


def test_the_script_is_told_by_the_letters():
    assert scores("Лass")["text_script_share"] == 0.75


def test_loops_are_seen_in_words_and_where_none_are_spaced_in_characters():
    assert scores("nein nein nein nein nein nein nein nein")["text_repetition"] == 0.8
    assert scores("不要不要不要不要", "zh")["text_repetition"] == 0.6


def test_what_was_cut_off_is_marked():
    assert scores("Lass mich", hit_length_cap=True)["text_hit_length_cap"] == 1.0


def test_a_blank_text_fails():
    assert scores(" ") == Failure("check", "the text is blank, so it has no form")


def test_numbers_alone_are_no_copy():
    [answer] = Form().load(("en", "de"))([TextItem("10!", "7 - 2!", "de", "angry")])
    assert answer["text_copied"] == 0.0
