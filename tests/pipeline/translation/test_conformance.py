"""What every neural translator promises, whichever model it runs."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.records import Failure
from pipeline.translation.any import AnyTranslator
from pipeline.translation.base import Sentence, Translation
from pipeline.translation.memory import Memory
from tests.checkpoints.text import LANGUAGE_CODES
from tests.pipeline.translation.conftest import SENTENCES
from tests.unions import engines_of, names_of

ENGINES = [name for name in names_of(AnyTranslator) if name != "memory"]
MULTILINGUAL = ("nllb", "m2m100", "madlad", "seamless", "llm")

each_engine = pytest.mark.parametrize("name", ENGINES)


def test_every_translator_but_the_table_is_held_to_it(engines):
    lacking = set(ENGINES) - set(engines)
    assert not lacking, f"make one of {lacking} in the fixture `engines` of conftest.py"
    assert {Memory, *map(type, engines.values())} == set(engines_of(AnyTranslator))


@each_engine
def test_a_batch_is_translated_as_its_sentences_are_alone_and_in_their_order(translate, name):
    together = translate(name)
    assert together == [translate(name, [sentence])[0] for sentence in SENTENCES]
    assert together == translate(name, SENTENCES[::-1])[::-1]
    assert any(isinstance(answer, Translation) for answer in together)


@each_engine
def test_the_same_sentences_get_the_same_texts_again(engines, translate, name):
    assert engines[name].load()(SENTENCES, "en", "de") == translate(name)


@each_engine
def test_another_language_is_another_text(translate, name):
    assert translate(name, language="de") != translate(name, language="zh")


@pytest.mark.parametrize("name", MULTILINGUAL)
def test_every_language_is_asked_for(translate, name):
    answers = [translate(name, SENTENCES[:1], language)[0] for language in LANGUAGE_CODES[1:]]
    assert len({str(answer) for answer in answers}) > 1


@each_engine
def test_no_token_of_the_model_is_left_in_a_text(translate, name):
    for answer in translate(name):
        if isinstance(answer, Translation):
            assert not any(mark in answer.text for mark in ("<", ">", "__", "deu_Latn", "▁"))


@each_engine
def test_a_text_that_is_too_long_fails_alone(translate, name):
    long = Sentence("Leave me alone, " * 400, "angry")
    answers = translate(name, [SENTENCES[0], long])
    assert answers[0] == translate(name, SENTENCES[:1])[0]
    assert isinstance(answers[1], Failure) or name == "madlad"  # T5 has no longest text
    if isinstance(answers[1], Failure):
        assert "split it" in answers[1].error


@each_engine
def test_a_text_in_another_script_than_its_languages_fails_alone(translate, name):
    foreign = Sentence("مرحبا بالعالم", "happy")
    answers = translate(name, [foreign, SENTENCES[0], foreign])
    assert answers[1] == translate(name, SENTENCES[:1])[0]
    for answer in answers[::2]:
        assert isinstance(answer, Failure)
        assert answer.stage == "translate"
        assert "is in ARABIC letters, and English is written in LATIN" in answer.error


@each_engine
def test_a_few_foreign_letters_are_translated(translate, name):
    [answer] = translate(name, [Sentence("She called me Ζωή, and that means life.", "happy")])
    assert isinstance(answer, Translation)


@each_engine
def test_no_sentence_gives_no_answer(translate, name):
    assert translate(name, []) == []


@each_engine
def test_the_resolved_recipe_pins_what_was_found(engines, name):
    pinned = engines[name].pinned_for([("en", "de"), ("en", "zh")])
    found = list(pinned.revisions.values()) if name == "marian" else [pinned.revision]
    assert all(len(revision) == 64 for revision in found)
    assert pinned.pinned_for([("en", "de"), ("en", "zh")]) == pinned


@each_engine
def test_a_language_more_leaves_the_others_translations_as_they_are(engines, name):
    one, two = (
        engines[name].pinned_for(pairs).fingerprints()
        for pairs in ([("en", "de")], [("en", "de"), ("en", "zh")])
    )
    assert one(["No."], "en", "de") == two(["No."], "en", "de")


def test_another_model_of_a_pair_is_another_fingerprint_of_that_pair_alone(engines):
    pinned = engines["marian"].pinned_for([("en", "de"), ("en", "zh")])
    other = pinned.model_copy(update={"revisions": {**pinned.revisions, "en-zh": "0" * 64}})
    for language, same in (("de", True), ("zh", False)):
        one, two = (of.fingerprints()(["No."], "en", language) for of in (pinned, other))
        assert (one == two) is same


@each_engine
def test_settings_survive_the_way_through_a_file(engines, name):
    engine, adapter = engines[name], TypeAdapter(AnyTranslator)
    assert adapter.validate_json(engine.model_dump_json()) == engine
    assert adapter.validate_python(engine.model_dump()).fingerprint() == engine.fingerprint()


@each_engine
def test_an_unknown_setting_is_refused_by_name(engines, name):
    with pytest.raises(ValidationError, match="loudness"):
        type(engines[name]).model_validate({**engines[name].model_dump(), "loudness": 3})
