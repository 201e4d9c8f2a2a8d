"""One sentence at a time: where they end, and what becomes of their translations."""

from __future__ import annotations

import time

import pytest

from pipeline.records import Failure
from pipeline.translation.base import Sentence, Translation
from pipeline.translation.nllb import Nllb
from pipeline.translation.sentences import by_sentence, sentences_of


@pytest.mark.parametrize(
    "text",
    [
        "No.| Really?!| I told Dr. Who and Mr. Bean.| They left.",
        "Oh... ok, fine.| What?",
        "“Stop!” she said.| “No!”",
        "Wait...| You came?| (He did.)| 2388 stars!",
        "J. R. Ewing wrote No. 5.| No.| He did so at 5 p.m. on Monday.",
        "It is 3.5 metres.| Great!| 😅 You? :(",
        "¿Qué?| ¡No!| Él se fue.",
        "वह गया।| मैं रोया।",
        "我不信。|你说“好！”他走了。|真的？！",
        "ฉันไม่เชื่อ เขาไปแล้ว",
        "and so on",
    ],
)
def test_a_text_is_cut_where_a_sentence_ends(text: str) -> None:
    assert sentences_of(text.replace("|", "")) == [one.strip() for one in text.split("|")]


@pytest.mark.parametrize("text", ["a." * 100_000, "." * 200_000, ". " * 50_000, "a. " * 20_000])
def test_no_text_takes_long_to_cut(text: str) -> None:
    started = time.monotonic()
    sentences_of(text)
    assert time.monotonic() - started < 5


def shout(sentences, _source, _target):
    """Capitals; what has a digit fails, and what ends in a comma was cut off."""
    return [
        Failure("translate", f"{one.text} has a digit")
        if any(map(str.isdecimal, one.text))
        else Translation(one.text.upper(), one.text.endswith(","))
        for one in sentences
    ]


def test_answers_are_joined_as_the_language_does() -> None:
    texts = [Sentence("No. Go away!", "angry"), Sentence("", "sad"), Sentence("Yes.", "happy")]
    assert by_sentence(shout)(texts, "en", "de") == [
        Translation("NO. GO AWAY!"), Translation(""), Translation("YES."),
    ]  # fmt: skip
    assert by_sentence(shout)(texts[:1], "en", "zh") == [Translation("NO.GO AWAY!")]


def test_one_sentence_that_fails_or_was_cut_off_says_so_of_the_whole() -> None:
    texts = [Sentence("I see. It is 5.", "sad"), Sentence("I see. And so,", "sad")]
    failed, capped = by_sentence(shout)(texts, "en", "de")
    assert failed == Failure("translate", "It is 5. has a digit")
    assert capped == Translation("I SEE. AND SO,", hit_length_cap=True)


def test_nllb_hears_one_at_a_time_unless_told(folders) -> None:
    first, second, both = (Sentence(one, "angry") for one in ("No.", "Go!", "No. Go!"))
    engine = Nllb(model=str(folders / "nllb"), beams=1)
    alone = [one.text for one in engine.load()([first, second], "en", "de")]
    assert engine.load()([both], "en", "de")[0].text == " ".join(alone)
    at_once = engine.model_copy(update={"by_sentence": False})
    assert at_once.load()([both], "en", "de")[0].text != " ".join(alone)
