"""What XTTS is given to read."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.synthesis.xtts.text import encode, pieces


@pytest.fixture
def tokenizer() -> Any:
    """coqui-tts' own, over a vocabulary that knows every character."""
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer

    made = VoiceBpeTokenizer()
    made.tokenizer = SimpleNamespace(
        encode=lambda text: SimpleNamespace(ids=list(map(ord, text))),
        token_to_id=lambda _token: -1,
    )
    return made


@pytest.mark.parametrize(
    ("text", "limit", "wanted"),
    [
        ("Ja.", 10, ["Ja."]),
        ("Ja. Nein! Gut so?", 10, ["Ja. Nein!", "Gut so?"]),
        ("Ja, das ist gut. Nein.", 12, ["Ja, das ist", "gut. Nein."]),
        ("one two three four", 9, ["one two", "three", "four"]),
        ("真不敢相信。你大老远跑来，", 10, ["真不敢相信。", "你大老远跑来，"]),
        ("a" * 11, 10, None),
        ("", 10, []),
    ],
)  # fmt: skip
def test_long_texts_are_cut_where_a_reader_would_pause(
    text: str, limit: int, wanted: list[str] | None
) -> None:
    made = pieces(text, limit)
    assert made == wanted
    if made:
        assert "".join(made).replace(" ", "") == text.replace(" ", "")
        assert all(len(piece) <= limit for piece in made)


@pytest.mark.parametrize(
    ("language", "text", "why"),
    [
        ("hi", "मेरे पास 5 सेब हैं।", "NotImplementedError()"),
        ("cs", "Je to 1. máje.", "NotImplementedError()"),
        ("cs", "Je to " + "9" * 40, "KeyError(13)"),
        ("es", "Son " + "9" * 40, "OverflowError('abs(9999"),
        ("it", "Sono " + "1" * 200, "NotImplementedError('The given number is too large.')"),
    ],
)
def test_numbers_that_coqui_tts_can_not_spell_out_are_a_sentence(
    tokenizer: Any, language: str, text: str, why: str
) -> None:
    said = encode(tokenizer, text, language)
    assert isinstance(said, str)
    assert said.startswith(f"text {text[:40]!r} can't be spelled out for xtts as {language!r}")
    assert why in said
    assert said.endswith("): write numbers out in words")
    assert len(said) < 250


@pytest.mark.parametrize(
    ("language", "text"),
    [("hi", "मेरे पास पाँच सेब हैं।"), ("cs", "Je to 5 korun."), ("es", "Son 99.")],
)
def test_numbers_that_it_can_spell_out_and_words_are_read(
    tokenizer: Any, language: str, text: str
) -> None:
    tokens = encode(tokenizer, text, language)
    assert isinstance(tokens, list)
    assert not any(chr(token).isdigit() for token in tokens)


def test_a_vowel_sign_that_it_lacks_is_not_left_out_in_silence(tokenizer: Any) -> None:
    lacking = {"ि": -1, "\ufe0f": -1}
    tokenizer.tokenizer.encode = lambda text: SimpleNamespace(
        ids=[lacking.get(one, ord(one)) for one in text]
    )
    said = encode(tokenizer, "किताब", "hi")
    assert isinstance(said, str)
    assert said.endswith("has letters that xtts can't read as 'hi': \u093f")
    assert isinstance(encode(tokenizer, "कब\ufe0f", "hi"), list)


def _no_dictionary() -> None:
    raise RuntimeError("Failed initializing MeCab.")


@pytest.mark.parametrize("cutlet", [None, SimpleNamespace(Cutlet=_no_dictionary)])
def test_japanese_without_cutlet_or_its_dictionary_names_what_to_install(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch, cutlet: Any
) -> None:
    monkeypatch.setitem(sys.modules, "cutlet", cutlet)
    with pytest.raises(ModuleNotFoundError, match="pip install cutlet unidic-lite") as raised:
        encode(tokenizer, "信じられない", "ja")
    assert raised.value.name is None  # else the command would give its own advice


def test_japanese_is_read_in_latin_letters_where_cutlet_is_there(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    romanizer = SimpleNamespace(romaji=lambda _text: "Shinjirarenai")
    monkeypatch.setitem(sys.modules, "cutlet", SimpleNamespace(Cutlet=lambda: romanizer))
    tokens = encode(tokenizer, "信じられない", "ja")
    assert isinstance(tokens, list)
    assert "".join(map(chr, tokens)) == "[ja]shinjirarenai"
