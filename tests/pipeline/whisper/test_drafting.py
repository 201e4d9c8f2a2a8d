from __future__ import annotations

import pytest

from pipeline.whisper.drafting import Draft, draft_tokens
from pipeline.whisper.rules import greedy_rules
from tests.checkpoints.whisper import tiny_whisper


@pytest.fixture(scope="module")
def rules():
    return greedy_rules(tiny_whisper(), "de")


def text_of(tokens, rules):
    return rules.tokenizer.decode(tokens)


def test_a_draft_opens_with_a_space_and_ends_with_a_stop(rules):
    tokens = draft_tokens("Das Auto ist weg", rules, "tokens")
    assert text_of(tokens, rules) == " Das Auto ist weg."
    assert text_of(draft_tokens("Ist es weg?", rules, "tokens"), rules) == " Ist es weg?"


def test_what_whisper_never_writes_is_left_out(rules):
    tokens = draft_tokens('Er sagte: "Nein" (leise) <|endoftext|>', rules, "tokens")
    assert not set(tokens) & set(rules.suppressed)
    assert rules.eot not in tokens
    assert text_of(tokens, rules) == " Er sagte Nein leise endoftext."


def test_mandarin_never_opens_with_the_suppressed_blank(rules):
    tokens = draft_tokens("你好吗", rules, "tokens")
    assert tokens[0] not in rules.blank


def test_letters_are_spelled_one_by_one_without_an_opening_space(rules):
    tokens = draft_tokens("Wie geht's?", rules, "letters")
    assert [text_of([token], rules) for token in tokens] == list("wie geht's")


def test_mandarin_by_letters_is_pinyin():
    tokens = draft_tokens("你好吗？", rules := greedy_rules(tiny_whisper(), "zh"), "letters")
    assert text_of(tokens, rules) == "ni hao ma"


@pytest.mark.parametrize("text", ["", "  ", "...", '"!?"'])
def test_a_text_without_anything_to_say_is_refused(text, rules):
    with pytest.raises(ValueError, match="no letter or digit"):
        draft_tokens(text, rules, "tokens")


@pytest.mark.parametrize("text", ["2020!", "Борис", "孩子"])
def test_what_letters_cant_spell_is_to_be_written_out(rules, text):
    said = f"'{text}' holds no letter that this checkpoint spells; write numbers out, and names"
    with pytest.raises(ValueError, match=said):
        draft_tokens(text, rules, "letters")


def said_after(wanted, heard, rules):
    """What is proposed after the model has written `heard` in place of the draft's beginning."""
    draft = Draft(draft_tokens(wanted, rules, "tokens"), rules)
    said = []
    for token in rules.tokenizer.encode(heard):
        proposal = draft.proposal(1)
        said.append(token)
        draft.follow(said, agreed=0)
        if proposal == [token]:
            continue
    return text_of(draft.proposal(100), rules)


@pytest.mark.parametrize(
    ("wanted", "heard", "rest"),
    [
        ("Kids are talking", " Kids", " are talking."),
        ("Kids are talking", " kids", " are talking."),
        ("Well, kids are talking", " Well kids", " are talking."),
        ("Well kids are talking", " Well, kids", " are talking."),
        ("Those kids are talking by the door", " kids are talking", " by the door."),
        ("Kids are talking by the door", " Kids are walking by", " the door."),
        ("Kids are talking", " Dogs", ""),
    ],
)
def test_the_draft_goes_on_where_the_transcript_rejoins_it(wanted, heard, rest, rules):
    assert said_after(wanted, heard, rules) == rest
