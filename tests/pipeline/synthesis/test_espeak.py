"""The espeak engine: real library, tiny texts."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

from pipeline.languages import Language
from pipeline.records import Failure
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.espeak import SAMPLING_RATE, Espeak, _run, count_phones
from pipeline.synthesis.voices import parse_voice, voices_of

VOICE = "f1-p+0.0-v1.00"
TEXTS: dict[Language, str] = {
    "en": "Kids are talking by the door.",
    "de": "Die Kinder reden an der Tür.",
    "fr": "L'élève est déjà là: 20 €, c'est tout!",
    "it": "Perché no? È già lì.",
    "es": "¿Dónde está el niño?",
    "zh": "孩子们在门口说话。",
}


def speak(*requests: SpeechRequest) -> list[Speech | Failure]:
    return Espeak().load()(requests)


def request(
    text: str, language: Language = "de", voice: str = VOICE, seed: int = 0
) -> SpeechRequest:
    return SpeechRequest(text, language, voice, seed)


@pytest.mark.parametrize("language", TEXTS)
def test_speaks_every_language_with_phones_in_order(language: Language) -> None:
    (speech,) = speak(request(TEXTS[language], language))
    assert isinstance(speech, Speech)
    assert speech.sampling_rate == SAMPLING_RATE
    assert speech.samples.dtype == np.float32
    assert 0.05 < np.abs(speech.samples).max() <= 1.0
    starts = [phone.start_s for phone in speech.phones]
    assert len(starts) > 8
    assert starts == sorted(starts)
    assert speech.phones[-1].end_s <= len(speech.samples) / SAMPLING_RATE + 0.01


def test_a_clip_does_not_depend_on_its_batch_or_on_an_earlier_call() -> None:
    requests = [request(TEXTS[language], language) for language in TEXTS]
    batch = speak(*requests)
    for one, wanted in zip(requests, batch, strict=True):
        (single,) = speak(one)
        assert isinstance(single, Speech)
        assert isinstance(wanted, Speech)
        assert np.array_equal(single.samples, wanted.samples)
        assert single.phones == wanted.phones


def test_signs_of_emphasis_are_not_said() -> None:
    said, wanted = speak(request("Das *will* ich ~nicht~!"), request("Das will ich nicht!"))
    assert isinstance(said, Speech)
    assert isinstance(wanted, Speech)
    assert [one.symbol for one in said.phones] == [one.symbol for one in wanted.phones]


def test_a_text_that_it_would_speak_as_english_in_part_fails() -> None:
    brother, percent, named = speak(
        request("我的兄弟来了。", "zh"), request("50%です", "ja"), request("我有iPhone。", "zh")
    )
    for failed in (brother, percent):
        assert isinstance(failed, Failure)
        assert "speaks a part of" in failed.error
    assert isinstance(named, Speech)


@pytest.mark.parametrize(
    ("text", "language", "message"),
    [
        ("", "de", "no letter"),
        ("   \n", "en", "no letter"),
        ("...!?", "fr", "no letter"),
        ("😀😀", "it", "no letter"),
        ("Gut 😀", "de", "GRINNING FACE"),
        ("שלום", "es", "no letter"),
        ("hola שלום", "es", "HEBREW LETTER SHIN"),
        ("Hello", "zh", "no letter"),
        ("日本語で", "ja", "CJK UNIFIED IDEOGRAPH-65E5, which espeak can't read as 'ja'"),
        ("Kumusta!", "tl", "espeak has no voice for 'tl'"),
        ("ฉันรักคุณ", "th", "espeak's Thai can't be understood"),
        ("Я магу.", "be", "has г, which espeak leaves out"),
        ("word " * 2000, "en", "10000 characters"),
        ("a\x00b", "en", "can't read"),
    ],
)
def test_a_text_it_cannot_speak_fails_alone(text: str, language: Language, message: str) -> None:
    failed, spoken = speak(request(text, language), request(TEXTS["de"]))
    assert isinstance(failed, Failure)
    assert failed.stage == "synthesize"
    assert message in failed.error
    assert isinstance(spoken, Speech)


def test_a_degree_is_read_out() -> None:
    (plain, warm) = speak(request("Es sind 20", "de"), request("Es sind 20°", "de"))
    assert isinstance(plain, Speech)
    assert isinstance(warm, Speech)
    assert len(warm.phones) > len(plain.phones)


def test_a_hang_ends_that_text_only() -> None:
    job = {"text": "wort " * 100_000, "voice": "de", "rate": 80, "pitch": 50}
    slow, quick = _run([job, job | {"text": "Wort"}], timeout_s=1.0)
    assert re.search("did not finish within 1 s", slow[0]["error"])
    assert quick[0]["phones"]


@pytest.mark.parametrize("voice", ["f2-p+0.0-v1.00", "f3-p+0.0-v1.00"])
def test_the_noise_of_a_breathy_voice_is_the_same_in_every_process(voice: str) -> None:
    (first,) = speak(request(TEXTS["de"], voice=voice))
    time.sleep(1.1)  # espeak-ng's own seed is the second it was started in
    (second,) = speak(request(TEXTS["de"], voice=voice))
    assert isinstance(first, Speech)
    assert isinstance(second, Speech)
    np.testing.assert_array_equal(first.samples, second.samples)


@pytest.mark.parametrize("name", ["nobody", "nobody-p+0.0-v1.00", "f1-p0-v1"])
def test_an_unknown_voice_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(name))):
        speak(request("Wort", voice=name))


def test_phones_of_texts_are_counted_and_none_where_there_are_none() -> None:
    assert count_phones(["Kids are talking by the door", "😀", "a"]) == [16, None, 1]
    assert count_phones(["Kids are *talking* by the door~"]) == [16]


def test_a_speaker_has_one_voice_of_its_own_and_of_its_gender() -> None:
    engine, taken = Espeak(), []
    for speaker in range(24):
        voice = engine.voice_for(f"s{speaker}", "female", taken)
        assert voice == engine.voice_for(f"s{speaker}", "female", list(taken))
        taken.append(voice)
    assert len(set(taken)) == 24
    assert set(taken) <= set(voices_of("female"))
    assert engine.voice_for("one more", "female", taken) in voices_of("female")
    assert engine.voice_for("s1", "male", ()) in voices_of("male")
    assert engine.voice_for("s1", "unknown", ()) in voices_of("female") + voices_of("male")


@pytest.mark.parametrize("name", voices_of("unknown"))
def test_every_voice_is_determined_by_its_name(name: str) -> None:
    assert parse_voice(name).name == name


def test_every_variant_exists() -> None:
    names = voices_of("unknown")
    for name, speech in zip(names, speak(*(request("Ja.", voice=n) for n in names)), strict=True):
        assert isinstance(speech, Speech), name
