"""What a chat model is asked, and what is kept of its answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.pretrained.named import ModelError
from pipeline.records import Failure
from pipeline.translation.base import Sentence, Translation
from pipeline.translation.llm import Llm, clean
from tests.checkpoints import text
from tests.pipeline.translation.conftest import SENTENCES


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("Lass mich in Ruhe!", "Lass mich in Ruhe!"),
        ("„Lass mich in Ruhe!“", "Lass mich in Ruhe!"),
        ("« Laisse-moi ! »", "Laisse-moi !"),
        ("「别管我！」", "别管我！"),
        ("<think>angry, so short</think>\n\nLass mich!", "Lass mich!"),
        ("so the tone is harsh</think>Lass mich!", "Lass mich!"),
        ('"Nein", sagte er, "nein"', '"Nein", sagte er, "nein"'),
        ("\n Lass mich! \n", "Lass mich!"),
    ],
)
def test_thoughts_and_quotation_marks_are_taken_off(answer, kept):
    assert clean(Translation(answer), "Leave me alone!") == Translation(kept)


def test_quotation_marks_of_the_source_stay():
    assert clean(Translation("„Nein“"), '"No"') == Translation("„Nein“")


def test_an_answer_of_several_lines_fails_with_them():
    answer = clean(Translation("Lass mich!\nNote: informal."), "Leave me alone!")
    assert isinstance(answer, Failure)
    assert "2 lines" in answer.error


def test_a_thought_without_end_fails():
    assert isinstance(clean(Translation("<think>hmm", True), "No"), Failure)


def test_a_failure_stays_what_it_is():
    assert clean(Failure("translate", "no room"), "No") == Failure("translate", "no room")


def test_the_emotion_is_told(translate):
    sad = [replace(sentence, emotion="sad") for sentence in SENTENCES]
    assert translate("llm", sad) != translate("llm")


def test_the_text_is_no_template(translate):
    [answer] = translate("llm", [Sentence("{emotion} {source}", "angry")])
    assert isinstance(answer, Translation | Failure)


def test_a_model_that_does_not_chat_is_refused(tmp_path):
    folder = text.tiny_llama_chat(tmp_path / "base", chat_template=None)
    with pytest.raises(ModelError, match="no chat template"):
        Llm(model=str(folder)).load()


def test_a_prompt_must_hold_the_text():
    with pytest.raises(ValueError, match="prompt"):
        Llm(prompt="Translate into {target}")


@pytest.mark.parametrize("answer", ['"', '""', "«»", "..."])
def test_an_answer_without_a_letter_fails(answer):
    said = clean(Translation(answer), "No")
    assert isinstance(said, Failure)
    assert "without a letter" in said.error
