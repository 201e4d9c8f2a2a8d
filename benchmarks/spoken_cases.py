"""Takes that say their text, and takes that are wrong in a known way, made as the quickstart's are.

Used by `whisper_gate`, which judges them. Every text is spoken by espeak-ng in one of the
quickstart's voices and given the published prosody of its emotion at full strength.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

import numpy as np

from pipeline.emotions import EMOTIONS, Emotion
from pipeline.judges.base import JudgeItem
from pipeline.languages import Language
from pipeline.prosody.target import from_emotion
from pipeline.prosody.transfer import transfer
from pipeline.recipe import Recipe
from pipeline.records import Utterance
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.voices import voices_of

RIGHT = "the text"
_NOISE_DBFS = -30.0
_PIECE = 2
"""Characters of Mandarin, which has no spaces, that stand for a word where words are swapped."""


_HALVES = {"odd": slice(0, None, 2), "even": slice(1, None, 2), "both": slice(None)}


@dataclass(frozen=True)
class Case:
    """A take and what is the matter with it."""

    kind: str
    item: JudgeItem


def quickstart_takes(recipe: Recipe, limit: int | None, half: str) -> list[JudgeItem]:
    """The lines of the first `limit` sentences in every language, spoken as their text says.

    `half`: of them the `odd` ones (the first is one), the `even` ones, or `both`.
    """
    every = [entry for entry in recipe.corpus.read() if isinstance(entry, Utterance)][:limit]
    utterances = every[_HALVES[half]]
    table = files("pipeline.corpora").joinpath("quickstart.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    lines = {row["name"]: row for row in rows}
    voices: dict[str, str] = {}
    for speaker, gender in sorted({(one.speaker, one.gender) for one in every}):
        voices[speaker] = recipe.synthesis.voice_for(speaker, gender, list(voices.values()))
    return speak(
        recipe,
        [
            _unspoken(lines[one.id][language], language, one.emotion, voices[one.speaker], one.id)
            for language in recipe.languages
            for one in utterances
        ],
    )


def random_takes(recipe: Recipe, count: int, seed: int) -> list[JudgeItem]:
    """`count` sequences of 3 to 8 random words in every language (needs the extra `pretrain`)."""
    from model.pretrain.text import draw

    random = np.random.default_rng(seed)
    voices = voices_of("unknown")
    return speak(
        recipe,
        [
            _unspoken(
                draw(language, int(random.integers(3, 9)), random).text,
                language,
                EMOTIONS[random.integers(len(EMOTIONS))],
                voices[random.integers(len(voices))],
                f"random-{seed}-{number}",
            )
            for language in recipe.languages
            for number in range(count)
        ],
    )


def speak(recipe: Recipe, items: Sequence[JudgeItem]) -> list[JudgeItem]:
    """The items with their text spoken, by the recipe's own engine and prosody transfer."""
    requests = [SpeechRequest(item.text, item.language, item.voice, 0) for item in items]
    answers = recipe.synthesis.load()(requests)
    return [
        replace(item, samples=_shaped(recipe, item, answer), phone_count=len(answer.phones))
        for item, answer in zip(items, answers, strict=True)
        if isinstance(answer, Speech)
    ]


def cases(recipe: Recipe, items: Sequence[JudgeItem], seed: int) -> Iterator[Case]:
    """Each take as it is, and in each of the wrong ways."""
    random = np.random.default_rng(seed)
    yield from (Case(RIGHT, item) for item in items)
    for kind, wrong in _WRONG.items():
        yield from (Case(kind, wrong(item, random)) for item in items)
    yield from (Case("another sentence", item) for item in _others(items, same_language=True))
    yield from (Case("another language", item) for item in _others(items, same_language=False))
    swapped = [replace(item, text=_swapped(item, random)) for item in items]
    spoken = speak(recipe, swapped)
    texts = {item.take_id: item.text for item in items}
    for item in spoken:
        if item.text != texts[item.take_id]:
            yield Case("two words swapped", replace(item, text=texts[item.take_id]))


def _unspoken(
    text: str, language: Language, emotion: Emotion, voice: str, source: str
) -> JudgeItem:
    return JudgeItem(
        f"{source}.{language}", np.zeros(0, np.float32), text, language, emotion, voice
    )


def _shaped(recipe: Recipe, item: JudgeItem, speech: Speech) -> np.ndarray:
    """The take at full strength; its target differs from sentence to sentence, as in a build."""
    seed = int.from_bytes(item.take_id.split(".")[0].encode()[-3:], "big")
    target = from_emotion(item.emotion, seed)
    return transfer(speech, target, [1.0], [seed], neutral_dbfs=recipe.prosody.neutral_dbfs).takes[
        0
    ]


def _others(items: Sequence[JudgeItem], *, same_language: bool) -> Iterator[JudgeItem]:
    """Takes that say what another one should: the next sentence, or the same in another language.

    Items lie by language, with as many sentences in each.
    """
    count = sum(item.language == items[0].language for item in items)
    for number, item in enumerate(items):
        if same_language:
            other = items[number - number % count + (number % count + 1) % count]
        else:
            other = items[(number + count) % len(items)]
        if other.text != item.text:
            yield replace(item, samples=other.samples)


def _swapped(item: JudgeItem, random: np.random.Generator) -> str:
    """The text with two of its words in each other's place."""
    joint = "" if item.language == "zh" else " "
    if joint:
        words = item.text.split()
    else:
        words = [item.text[i : i + _PIECE] for i in range(0, len(item.text), _PIECE)]
    if len(words) < 2:
        return item.text
    one, other = random.choice(len(words), 2, replace=False)
    words[one], words[other] = words[other], words[one]
    return joint.join(words)


def _noise(item: JudgeItem, random: np.random.Generator) -> JudgeItem:
    noise = random.standard_normal(len(item.samples)) * 10 ** (_NOISE_DBFS / 20)
    return replace(item, samples=noise.astype(np.float32))


def _silence(item: JudgeItem, _random: np.random.Generator) -> JudgeItem:
    return replace(item, samples=np.zeros_like(item.samples))


def _without_first(item: JudgeItem, _random: np.random.Generator) -> JudgeItem:
    return replace(item, samples=item.samples[len(item.samples) // 3 :])


def _without_last(item: JudgeItem, _random: np.random.Generator) -> JudgeItem:
    return replace(item, samples=item.samples[: -(len(item.samples) // 3)])


_WRONG: dict[str, Callable[[JudgeItem, np.random.Generator], JudgeItem]] = {
    "first third missing": _without_first,
    "last third missing": _without_last,
    "white noise": _noise,
    "silence": _silence,
}
