"""What reaches a translator, and what becomes a failure before it."""

from __future__ import annotations

from pipeline.records import Failure
from pipeline.translation.base import Sentence, Translation
from pipeline.translation.readable import readable_only


def shout(sentences, source, target):
    """A translator that says in which languages it was asked for what."""
    return [Translation(f"{source}-{target}: {one.text.upper()}") for one in sentences]


def translate(source, target, *texts):
    return readable_only(shout)([Sentence(text, "angry") for text in texts], source, target)


def test_a_text_in_another_script_is_answered_in_its_place():
    no, bad, yes = translate("en", "de", "no", "нет", "yes")
    assert (no, yes) == (Translation("en-de: NO"), Translation("en-de: YES"))
    assert isinstance(bad, Failure)
    assert "'нет' is in CYRILLIC letters" in bad.error


def test_mandarin_is_translated_back_and_refused_as_english():
    text = "别管我，OK？"
    assert translate("zh", "en", text) == [Translation("zh-en: 别管我，OK？")]
    [refused] = translate("en", "zh", "别管我！")
    assert isinstance(refused, Failure)


def test_where_nothing_can_be_read_nothing_is_asked():
    def broken(sentences, source, target):
        raise RuntimeError("asked")

    [answer] = readable_only(broken)([Sentence("нет", "angry")], "en", "de")
    assert isinstance(answer, Failure)
