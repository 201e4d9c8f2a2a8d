"""Sentences -> clips: espeak-ng speaks, and says when each sound and letter is heard.

The voices, the settings and the prosody transfer are those of the embedded engine, through its own
code. Most clips are espeak-ng's rendition itself with cheap changes; some go through the prosody
transfer, whose analysis costs twenty times as much, so that several takes are made of one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import espeakng_loader
import numpy as np

from model.pretrain.sentences import Sentences, draw_sentence
from model.pretrain.sound import not_speech, spoil
from model.pretrain.text import TAUGHT, Sentence, draw
from pipeline.emotions import EMOTIONS
from pipeline.languages import Language
from pipeline.prosody.target import from_emotion
from pipeline.prosody.transfer import HOP_S, Shaper
from pipeline.records import Failure
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.espeak import Espeak, speech_of
from pipeline.synthesis.espeak_process import initialise, speak
from pipeline.synthesis.voices import Voice, parse_voice, voices_of

SILENCE = ""
TRACK_S = 0.01
_STEP = 160
"""Samples in `TRACK_S`."""
LONGEST_S = 6.9
"""Longer clips are dropped: with its padding, a clip fits the network's window of 8 s."""

_SHAPED_SHARE = 0.06
"""Of the renditions; each gives `_TAKES` clips, so about a sixth of all clips."""
_TAKES = 3
_CUT_SHARE = 0.25
_NOTHING_SHARE = 0.02
_WRITTEN_SHARE = 0.85
"""Of the clips, where there are sentences to be read; the others are random words."""
_WORDS_PER_MINUTE = (130, 210)
_STRAY_ST, _STRAY_TRACT = 1.5, 0.04
"""How far a training voice lies from one of the engine's: standard deviations."""


@dataclass(frozen=True)
class Clip:
    """A clip with its labels.

    `samples` float32 [T] at 16 kHz; `phones` [T / 160], a symbol each 10 ms; `letters` and when
    each of them is heard, `times_s` [L].
    """

    language: Language
    samples: np.ndarray
    phones: tuple[str, ...]
    letters: str
    times_s: np.ndarray


def clips(
    count: int,
    shares: Sequence[float],
    longest: int,
    random: np.random.Generator,
    sentences: Sentences | None = None,
) -> Iterator[Clip]:
    """At least `count` random clips of 1 to `longest` words; `shares` of the six languages."""
    made = 0
    while made < count:
        language = TAUGHT[random.choice(len(TAUGHT), p=list(shares))]
        if random.random() < _NOTHING_SHARE:
            own = [_nothing(language, random)]
        else:
            own = _read(_text(language, longest, sentences, random), random)
        made += len(own)
        yield from (_finished(one, random) for one in own if len(one.phones) * TRACK_S <= LONGEST_S)


def _text(
    language: Language, longest: int, sentences: Sentences | None, random: np.random.Generator
) -> Sentence:
    if sentences and random.random() < _WRITTEN_SHARE:
        return draw_sentence(language, longest, sentences, random)
    return draw(language, int(random.integers(1, longest + 1)), random)


def _read(sentence: Sentence, random: np.random.Generator) -> list[Clip]:
    """The clips of one rendition: itself, or some takes of it."""
    engine = Espeak(words_per_minute=int(random.integers(*_WORDS_PER_MINUTE)))
    request = SpeechRequest(sentence.text, sentence.language, _voice(random), 0)
    answer, pcm = speak(*_library(), engine.job(request))
    speech = speech_of(request, answer, pcm)
    if isinstance(speech, Failure):  # a word that is silent by itself, drawn alone
        return []
    tract = parse_voice(request.voice).tract
    places = [place for place, _ in answer["words"]] + [len(sentence.text)]
    times_s = [start_s / tract for _, start_s in answer["words"]] + [speech.phones[-1].end_s]
    plain = Clip(
        sentence.language,
        speech.samples,
        _phone_track(speech),
        sentence.letters,
        np.interp(sentence.places, places, times_s),
    )
    if random.random() >= _SHAPED_SHARE:
        return [plain]
    try:
        shaper = Shaper(speech)
    except ValueError:  # a rendition without a voiced frame can't be shaped
        return [plain]
    return [_shaped(shaper, plain, random) for _ in range(_TAKES)]


def _phone_track(speech: Speech) -> tuple[str, ...]:
    """The phone of every 10 ms, without its stress."""
    steps_s = np.arange(len(speech.samples) // _STEP) * TRACK_S
    starts_s = [phone.start_s for phone in speech.phones]
    at = np.searchsorted(starts_s, steps_s, side="right") - 1
    return tuple(
        speech.phones[i].symbol.strip("ˈˌ-") if i >= 0 and now < speech.phones[i].end_s else SILENCE
        for i, now in zip(at, steps_s, strict=True)
    )


def _shaped(shaper: Shaper, plain: Clip, random: np.random.Generator) -> Clip:
    """A take of the rendition in a random emotion and strength."""
    seed = int(random.integers(1 << 30))
    target = from_emotion(EMOTIONS[random.integers(len(EMOTIONS))], seed)
    strength = float(random.uniform(0.7, 1.1))
    samples, _ = shaper.take(target, strength, seed)
    origins_s = shaper.origins_s(target, strength)
    times_s = np.arange(len(origins_s)) * HOP_S
    steps = np.arange(len(samples) // _STEP) * TRACK_S
    origin = np.interp(steps, times_s, origins_s) / TRACK_S
    index = np.minimum(origin.astype(int), len(plain.phones) - 1)
    return replace(
        plain,
        samples=samples,
        phones=tuple(plain.phones[i] for i in index),
        times_s=np.interp(plain.times_s, np.maximum.accumulate(origins_s), times_s),
    )


def _finished(clip: Clip, random: np.random.Generator) -> Clip:
    """Cut off, spoiled and with silence around, by chance."""
    if " " in clip.letters and random.random() < _CUT_SHARE:
        clip = _cut(clip, random)
    samples = spoil(clip.samples, random) if clip.letters else clip.samples
    before, after = (round(random.exponential(0.08) / TRACK_S) for _ in range(2))
    room = max(0, int(LONGEST_S / TRACK_S) - len(samples) // _STEP)
    before, after = min(before, room // 2), min(after, room // 2)
    return replace(
        clip,
        samples=np.pad(samples, (before * _STEP, after * _STEP)),
        phones=(SILENCE,) * before + clip.phones + (SILENCE,) * after,
        times_s=clip.times_s + before * TRACK_S,
    )


def _cut(clip: Clip, random: np.random.Generator) -> Clip:
    """The clip without its first or last words: the letters are those that are still heard."""
    spaces = [i for i, letter in enumerate(clip.letters) if letter == " "]
    space = spaces[random.integers(len(spaces))]
    step = int(clip.times_s[space + 1] / TRACK_S)
    if not 10 <= step <= len(clip.phones) - 10:
        return clip
    if random.random() < 0.5:
        kept, letters = slice(step, len(clip.phones)), slice(space + 1, None)
    else:
        kept, letters = slice(0, step), slice(0, space)
    return replace(
        clip,
        samples=clip.samples[kept.start * _STEP : kept.stop * _STEP],
        phones=clip.phones[kept],
        letters=clip.letters[letters],
        times_s=clip.times_s[letters] - kept.start * TRACK_S,
    )


def _nothing(language: Language, random: np.random.Generator) -> Clip:
    steps = int(random.uniform(0.3, 3.0) / TRACK_S)
    return Clip(language, not_speech(steps * _STEP, random), (SILENCE,) * steps, "", np.zeros(0))


def _voice(random: np.random.Generator) -> str:
    """A voice near one of the engine's."""
    names = voices_of("unknown")
    voice = parse_voice(names[random.integers(len(names))])
    return Voice(
        voice.variant,
        voice.pitch_st + float(random.normal(0, _STRAY_ST)),
        float(np.clip(voice.tract + random.normal(0, _STRAY_TRACT), 0.8, 1.2)),
    ).name


@lru_cache
def _library() -> tuple[ctypes.CDLL, int]:
    """espeak-ng, once in a process."""
    return initialise(str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path()))
