"""What is said of each language, held against the packages that have to know it."""

from __future__ import annotations

import lingua
import pytest
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES as M2M100_CODES
from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES as NLLB_CODES
from whisper.tokenizer import LANGUAGES as WHISPER_CODES

from pipeline.languages import _MEANT, ABOUT, LANGUAGES, language_name, meant_language
from pipeline.recipe_file import load_recipe
from pipeline.scripts import script_error, script_share
from pipeline.settings_file import BadRecipe
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.espeak import Espeak
from pipeline.synthesis.seamless import SeamlessSpeech
from pipeline.synthesis.vits.engine import Vits
from pipeline.synthesis.xtts.engine import Xtts
from pipeline.text_judges.language import TextLanguage
from pipeline.translation import m2m100, marian
from pipeline.translation.nllb import flores_code
from pipeline.whisper import rules
from pipeline.whisper.checkpoint import BUNDLED, load_checkpoint
from pipeline.whisper.transcribing import Transcriber

OWN_NAMES = {
    "en": "English", "de": "Deutsch", "fr": "français", "it": "italiano", "es": "español",
    "zh": "中文", "af": "Afrikaans", "ar": "العربية", "az": "azərbaycan", "be": "беларуская",
    "bg": "български", "bn": "বাংলা", "bs": "bosanski", "ca": "català", "cs": "čeština",
    "cy": "Cymraeg", "da": "dansk", "el": "ελληνικά", "et": "eesti", "eu": "euskara",
    "fa": "فارسی", "fi": "suomi", "gu": "ગુજરાતી", "hi": "हिन्दी", "hr": "hrvatski",
    "hu": "magyar", "hy": "հայերեն", "id": "Indonesia", "is": "íslenska", "ja": "にほんご",
    "ka": "ქართული", "kk": "қазақ", "ko": "한국어", "lt": "lietuvių", "lv": "latviešu",
    "mk": "македонски", "mr": "मराठी", "ms": "Melayu", "nb": "norsk", "nl": "Nederlands",
    "pa": "ਪੰਜਾਬੀ", "pl": "polski", "pt": "português", "ro": "română", "ru": "русский",
    "sk": "slovenčina", "sl": "slovenščina", "sq": "shqip", "sr": "српски", "sv": "svenska",
    "sw": "Kiswahili", "ta": "தமிழ்", "te": "తెలుగు", "th": "ไทย", "tl": "Tagalog",
    "tr": "Türkçe", "uk": "українська", "ur": "اردو", "vi": "tiếng Việt",
}  # fmt: skip
VOICE = "f1-p+0.0-v1.00"


def test_each_language_is_described_once():
    lacking = set(LANGUAGES) - set(OWN_NAMES)
    assert not lacking, f"give {lacking} their own names in OWN_NAMES here"
    assert set(ABOUT) == set(LANGUAGES) == set(OWN_NAMES)
    assert len({about.iso639_3 for about in ABOUT.values()}) == len(LANGUAGES)
    assert len({language_name(one) for one in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("word", "language"),
    [
        ("pt-BR", "pt"), ("zh_CN", "zh"), ("pol", "pl"), ("Polish", "pl"), ("jp", "ja"),
        ("po", None), ("", None), ("klingon", None),
    ],
)  # fmt: skip
def test_a_word_for_a_language_is_understood_or_not_guessed_at(word, language):
    assert meant_language(word) == language


def test_no_word_for_a_language_is_a_code_of_ours():
    assert not set(_MEANT) & set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_own_name_is_in_its_script(language):
    assert script_share(OWN_NAMES[language], language) == 1.0
    assert script_error(OWN_NAMES[language], language) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_whisper_lingua_and_nllb_know_it(language):
    assert rules._CODES.get(language, language) in WHISPER_CODES
    assert lingua.IsoCode639_1.from_str(language) in {
        one.iso_code_639_1 for one in lingua.Language.all()
    }
    assert flores_code(language) in NLLB_CODES


def test_m2m100_says_which_it_knows():
    known = M2M100_CODES["m2m100"]
    wanted = {one for one in LANGUAGES if m2m100._CODES.get(one, one) in known}
    assert m2m100.M2m100().languages == wanted
    assert m2m100.M2m100(model="my/m2m100").languages is None


@pytest.mark.parametrize(
    ("language", "mark"),
    [("pl", ">>pol<<"), ("zh", ">>cmn_Hans<<"), ("ar", ">>ara<<"), ("sr", ">>srp_Cyrl<<")],
)
def test_marian_is_asked_for_it_by_any_of_its_names(language, mark):
    assert mark in set(marian._marks(language))


def test_every_language_has_a_synthesizer_and_espeak_speaks_all_but_two():
    spoken = Espeak().languages | Xtts().languages | SeamlessSpeech().languages
    assert spoken == set(LANGUAGES)
    asked = [one for one in LANGUAGES if one in Espeak().languages]
    answers = Espeak().load()([SpeechRequest(OWN_NAMES[one], one, VOICE, 0) for one in asked])
    silent = [one for one, answer in zip(asked, answers, strict=True) if not _spoke(answer)]
    assert set(LANGUAGES) - set(asked) == {"th", "tl"}
    assert silent == []


def _spoke(answer):
    return isinstance(answer, Speech) and len(answer.phones) >= 3


def test_vits_speaks_what_it_has_models_for_and_other_weights_say_on_loading():
    assert Vits(model={"tl": "facebook/mms-tts-tgl"}).languages == {"tl"}
    assert Xtts(model="my/xtts").languages is None
    assert SeamlessSpeech(model="my/seamless").languages is None


def test_a_language_that_an_engine_lacks_is_refused_before_anything_is_paid_for():
    with pytest.raises(BadRecipe) as refused:
        load_recipe("quickstart", ["languages=[de,pl,tl]"])
    said = " ".join(str(refused.value).split())
    assert "languages: tl: unknown to synthesis (espeak), which knows af, ar" in said
    assert "languages: pl, tl: unknown to judges.5 (whisper), which knows de, en, es" in said
    assert "take them out, or name another engine or model" in said


def test_a_language_that_a_translator_lacks_is_refused_too():
    back = "{engine: back_translation, translator: {engine: m2m100}}"
    with pytest.raises(BadRecipe) as refused:
        load_recipe(
            "own-recordings",
            ["languages=[de,eu,sq]", "translation={engine: seamless}", f"text_judges=[{back}]"],
        )
    said = " ".join(str(refused.value).split())
    assert "languages: sq: unknown to translation (seamless), which knows af, ar" in said
    assert "languages: eu: unknown to text_judges.0 (back_translation), which knows af, ar" in said


def test_the_bundled_weights_are_taught_what_they_are_said_to_be():
    checkpoint = load_checkpoint("small-espeak")
    Transcriber(checkpoint, BUNDLED["small-espeak"])
    for language in sorted(set(LANGUAGES) - set(BUNDLED["small-espeak"])):
        with pytest.raises(ValueError, match=f"languages: {language}: this checkpoint was never"):
            Transcriber(checkpoint, ["en", language])


def test_norwegian_is_asked_of_whisper_by_its_own_name():
    model = load_checkpoint("small-espeak").model
    found = rules.greedy_rules(model, "nb")
    assert found.language == "nb"
    assert found.prompt[1] == found.tokenizer.to_language_token("no")


def test_a_text_is_told_from_english_in_every_language():
    named = {one: f"{OWN_NAMES[one]} {OWN_NAMES[one]}" for one in ("ka", "hi", "ja", "th", "el")}
    for language, text in named.items():
        judge = TextLanguage().load((language,))
        from pipeline.text_judges.base import TextItem

        [scores] = judge([TextItem("English", text, language, "neutral")])
        assert scores["text_language_probability"] > 0.9
