"""espeak-ng: formant synthesis in over a hundred languages, a thousand times real time on one core.

The library (GPL-3.0) runs in a process of its own, `espeak_process.py`.
"""

from __future__ import annotations

import json
import math
import struct
import subprocess
import sys
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import espeakng_loader
import numpy as np
import soxr
from pydantic import Field
from scipy.signal import bilinear, lfilter

from pipeline.languages import LANGUAGES, Language, language_name
from pipeline.needs import Price
from pipeline.records import Failure, Gender
from pipeline.scripts import is_foreign, of_script
from pipeline.synthesis.base import Phone, Speech, SpeechRequest, Synthesize, Synthesizer
from pipeline.synthesis.voices import choose_voice, parse_voice

SAMPLING_RATE = 16_000

_SHELF_HZ = 500.0

_PROGRAM = Path(__file__).with_name("espeak_process.py")
_NAMES: Mapping[Language, str] = {"en": "en-us", "pt": "pt-br", "zh": "cmn"}
"""Its voices that are not named as in BCP-47, or of which there are several."""
_WITHOUT_VOICE: frozenset[Language] = frozenset({"tl"})
_UNINTELLIGIBLE: frozenset[Language] = frozenset({"th"})
"""Languages of its voices that nobody would know again: the Thai of 1.52 ("testing") makes
consonants of signs for vowels, of มา, to come, [mas], and of รัก, to love, [rmk]."""
_MUTE: Mapping[Language, str] = {"be": "гГ"}
"""Letters that its voices leave out: магу, I can, sounds like мау."""
_WORDLESS = str.maketrans(dict.fromkeys("*~\\¶", " "))
"""Signs of emphasis and markup that espeak-ng says by name: asterisk, tilde, backslash."""
_PITCH_STEPS_PER_ST = 50 / 12
"""espeak-ng's pitch runs from 0 to 99, 50 steps an octave around 50 (pitch_adjust_tab)."""


class Espeak(Synthesizer):
    """espeak-ng through its library, a synthesizer by rules and formants.

    https://github.com/espeak-ng/espeak-ng, GPL-3.0, which doesn't cover what it says; over a
    hundred languages, of ours all but Tagalog and Thai; no paper. Of Japanese it reads kana alone,
    and where a script leaves vowels out (Arabic, Persian, Urdu) it guesses them. A text that it
    would not speak whole fails, as a Belarusian one with a г. It leaves nothing to chance: a seed
    changes nothing.
    """

    engine: Literal["espeak"] = "espeak"
    price: ClassVar[Price] = Price("cpu", 0.05, "speech_s", "assumed, with its process")
    words_per_minute: int = Field(165, ge=80, le=400)
    """Rate of neutral speech, before any prosody is put on."""
    max_characters: int = Field(600, ge=1)
    """Longer texts fail."""
    timeout_s: float = Field(20.0, gt=0, le=3600)
    """For one text."""
    version: ClassVar[int] = 5
    wheels: ClassVar[tuple[str, ...]] = ("espeakng-loader",)
    deterministic: ClassVar[bool] = True

    @property
    def languages(self) -> frozenset[Language]:
        """Those that the library speaks so that it can be understood."""
        return frozenset(LANGUAGES) - _WITHOUT_VOICE - _UNINTELLIGIBLE

    def voice_for(self, speaker: str, gender: Gender, taken: Collection[str]) -> str:
        """A variant, pitch and vocal-tract ratio: the same in every language."""
        return choose_voice(speaker, gender, taken)

    def load(self) -> Synthesize:
        """Nothing stays loaded: a fresh process speaks each batch."""
        return self._synthesize

    def _synthesize(self, requests: Sequence[SpeechRequest]) -> list[Speech | Failure]:
        errors = [self._fault(one) for one in requests]
        jobs = [
            self.job(request)
            for request, error in zip(requests, errors, strict=True)
            if error is None
        ]
        spoken = iter(_run(jobs, self.timeout_s))
        return [
            Failure("synthesize", error) if error else speech_of(request, *next(spoken))
            for request, error in zip(requests, errors, strict=True)
        ]

    def _fault(self, request: SpeechRequest) -> str | None:
        if request.language in _UNINTELLIGIBLE:
            return f"espeak's {language_name(request.language)} can't be understood"
        if mute := set(_MUTE.get(request.language, "")) & set(request.text):
            said = f"text {request.text[:40]!r} has {''.join(sorted(mute))}"
            return f"{said}, which espeak leaves out"
        return text_error(request.text, request.language, self.max_characters)

    def job(self, request: SpeechRequest) -> dict[str, Any]:
        """What `espeak_process.speak` is asked for."""
        voice = parse_voice(request.voice)
        # Playing a slower, lower rendition faster scales its formants and leaves the rest.
        pitch_st = voice.pitch_st - 12 * math.log2(voice.tract)
        return {
            "text": _words(request.text),
            "voice": f"{_voice(request.language)}+{voice.variant}",
            "rate": round(self.words_per_minute / voice.tract),
            "pitch": min(99, max(0, round(50 + _PITCH_STEPS_PER_ST * pitch_st))),
        }


def _words(text: str) -> str:
    return text.translate(_WORDLESS)


def _voice(language: Language) -> str:
    return _NAMES.get(language, language)


def count_phones(texts: Sequence[str], language: Language = "en") -> list[int | None]:
    """Number of phones in each text as espeak-ng speaks it; None where it can't speak it."""
    errors = [text_error(text, language, max_characters=10_000) for text in texts]
    jobs = [
        {"text": _words(text), "voice": _voice(language), "rate": 165, "pitch": 50}
        for text, error in zip(texts, errors, strict=True)
        if error is None
    ]
    spoken = iter(_run(jobs, timeout_s=20.0))
    counts = [0 if error else len(_phones(next(spoken)[0], 1.0)) for error in errors]
    return [count or None for count in counts]


def text_error(text: str, language: Language, max_characters: int) -> str | None:
    """Why espeak-ng can't speak the text in the language in one sentence, or None if it can."""
    if language in _WITHOUT_VOICE:
        return f"espeak has no voice for {language!r}"
    if len(text) > max_characters:
        return f"text has {len(text)} characters; espeak takes at most {max_characters}: split it"
    letters = [character for character in text if character.isalpha()]
    if not any(of_script(letter, language) for letter in letters):
        return f"text {text[:40]!r} has no letter that espeak can read as {language!r}"
    for character in text:
        if not _speakable(character, language):
            name = unicodedata.name(character, "a character without a name")
            return f"text {text[:40]!r} has {name}, which espeak can't read as {language!r}"
    return None


def _speakable(character: str, language: Language) -> bool:
    if character.isalpha():
        unread = "CJK" if language == "ja" else _SPELT_OUT
        unreadable = unicodedata.name(character, "").startswith(unread)
        return not (unreadable or is_foreign(character, language))
    return unicodedata.category(character) not in _UNSPEAKABLE or character in _READ_OUT


_SPELT_OUT = "CJK COMPATIBILITY"
"""How the names of letters begin whose numbers espeak-ng reads out."""

_READ_OUT = "\n\t°"
_UNSPEAKABLE = {"So", "Cs", "Co", "Cn", "Cc"}
"""Unicode categories of symbols (emoji too), surrogates, unassigned and control characters."""


def _run(jobs: Sequence[dict[str, Any]], timeout_s: float) -> list[tuple[dict[str, Any], bytes]]:
    """Speak the jobs in a fresh process; each answer is its JSON and int16 PCM."""
    if not jobs:
        return []
    header = {
        "library": str(espeakng_loader.get_library_path()),
        "data": str(espeakng_loader.get_data_path()),
        "timeout_s": timeout_s,
    }
    lines = "".join(json.dumps(line) + "\n" for line in (header, *jobs))
    done = subprocess.run(
        [sys.executable, "-I", str(_PROGRAM)],
        input=lines.encode(),
        capture_output=True,
        timeout=60 + timeout_s * len(jobs),
        check=False,
    )
    answers = list(_messages(done.stdout))
    if done.returncode != 0 or len(answers) != len(jobs):
        raise RuntimeError(
            f"the espeak-ng process ended with status {done.returncode} after {len(answers)} of "
            f"{len(jobs)} texts: {done.stderr.decode(errors='replace')[-400:]}"
        )
    return answers


def _messages(stream: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    position = 0
    while position + 8 <= len(stream):
        body, pcm = struct.unpack_from("<II", stream, position)
        middle = position + 8 + body
        yield json.loads(stream[position + 8 : middle]), stream[middle : middle + pcm]
        position = middle + pcm


def _phones(answer: dict[str, Any], tract: float) -> tuple[Phone, ...]:
    return tuple(
        Phone(symbol, start_s / tract, end_s / tract)
        for symbol, start_s, end_s in answer.get("phones", ())
        if not _is_switch(symbol)
    )


def _strays(text: str, answer: dict[str, Any]) -> bool:
    """Whether a text without Latin letters is spoken in part as another language's.

    So it does with what its rules lack, as signs for percent, and Mandarin's xiong, qiong and
    jiong: 熊, a bear, is said like "shung two" in English. Of Latin letters it may be right.
    """
    if any(of_script(letter, "en") for letter in text if letter.isalpha()):
        return False
    return any(_is_switch(symbol) for symbol, _, _ in answer.get("phones", ()))


def _is_switch(symbol: str) -> bool:
    """Whether an event is a change of language, and not a sound."""
    return symbol.startswith("(")


def speech_of(request: SpeechRequest, answer: dict[str, Any], pcm: bytes) -> Speech | Failure:
    """The speech that `espeak_process.speak` answered a request's job with."""
    if "error" in answer:
        return Failure("synthesize", answer["error"])
    tract = parse_voice(request.voice).tract
    phones = _phones(answer, tract)
    if not phones:
        return Failure("synthesize", f"espeak-ng spoke no sound for {request.text[:40]!r}")
    if _strays(request.text, answer):
        error = f"espeak-ng speaks a part of {request.text[:40]!r} as another language than"
        return Failure("synthesize", f"{error} {request.language!r}, as it lacks a rule for it")
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768
    played = soxr.resample(samples, answer["sampling_rate"] * tract, SAMPLING_RATE)
    return Speech(_darkened(np.clip(played, -1.0, 1.0)), SAMPLING_RATE, phones)


def _darkened(samples: np.ndarray) -> np.ndarray:
    """The speech with 6 dB less above about 1 kHz, where espeak-ng is brighter than people are.

    Measured: 1 to 5 kHz over 50 Hz to 1 kHz is -8 dB in its voices, -12 dB in RAVDESS and nEMO.
    """
    return np.asarray(lfilter(*_shelf(), samples), dtype=np.float32)


@lru_cache
def _shelf() -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of the shelf."""
    corner = 2 * np.pi * _SHELF_HZ
    numerator, denominator = bilinear([0.5, corner], [1.0, corner], SAMPLING_RATE)
    return numerator, denominator
