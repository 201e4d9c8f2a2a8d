from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.cards.templates import code, markdown, spoken
from pipeline.plain import plain

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})


def test_a_plain_text_stays_readable() -> None:
    assert markdown("It's 3.5 % of speech_share (at least).") == (
        "It's 3.5 % of speech_share (at least)."
    )


@given(st.text(max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    page = MARKDOWN.render(f"x {markdown(text)} y")
    assert page.count("<") == page.count("<p>") + page.count("</p>") == 2


@given(st.text(alphabet="|*_`[]()<>!#~-=+:\\&; \nab", max_size=40))
def test_no_text_leaves_its_cell(text: str) -> None:
    page = MARKDOWN.render(f"| a | b |\n| --- | --- |\n| {markdown(text)} | end |\n")
    assert page.count("<td") == 2
    assert "<td>end</td>" in page


@pytest.mark.parametrize("hidden", ["\u202e", "\x1b", "\x00", "\u200b", "\n"])
def test_control_and_direction_characters_are_gone(hidden: str) -> None:
    assert plain(f"a{hidden}b") == "a b"


def test_a_long_text_is_cut() -> None:
    assert len(plain("word " * 1000)) == 300


def test_only_a_plain_name_is_code() -> None:
    assert code("espeak") == "`espeak`"
    assert "`" not in code("es`peak")


def test_lengths_are_in_minutes_and_hours() -> None:
    assert (spoken(90), spoken(5400)) == ("1.5 min", "1.5 h")
