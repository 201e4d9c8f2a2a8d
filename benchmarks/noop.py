"""Engines that do nothing, so that only the path around them is measured.

Each stands in for an embedded engine and keeps its name, which the ledger and the card know.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from pipeline.corpora.base import Entry
from pipeline.corpora.quickstart import Quickstart
from pipeline.emotions import EMOTIONS
from pipeline.judges.base import JudgeBatch, JudgeContext, JudgeItem, Scores
from pipeline.judges.duration import Duration
from pipeline.languages import Language
from pipeline.recipe import Recipe
from pipeline.recipe_file import parse_recipe
from pipeline.records import Failure, Gender, Utterance
from pipeline.synthesis.base import Phone, Speech, SpeechRequest, Synthesize
from pipeline.synthesis.espeak import Espeak
from pipeline.translation.base import Sentence, Translate, Translation
from pipeline.translation.memory import Memory

RATE_HZ = 16_000


class NumberedCorpus(Quickstart):
    """`rows` sentences that differ in a number."""

    rows: int

    def read(self) -> Iterator[Entry]:
        """List the sentences."""
        for number in range(self.rows):
            yield Utterance(
                id=f"n{number:06d}",
                corpus="quickstart",
                text=f"{number * 7919} is the sentence {number} of a long list",
                emotion=EMOTIONS[number % len(EMOTIONS)],
                speaker=f"s{number % 97}",
                gender="unknown",
                licence="Apache-2.0",
            )


class Echo(Memory):
    """Says every text again."""

    def load(self) -> Translate:
        """Nothing is loaded."""

        def translate(
            sentences: Sequence[Sentence], source: Language, target: Language
        ) -> list[Translation | Failure]:
            return [Translation(one.text) for one in sentences]

        return translate


class Click(Espeak):
    """Ten milliseconds of noise that depends on the text alone.

    It is one phone: where an engine tells no phones, the path counts them with espeak-ng.
    """

    def voice_for(self, speaker: str, gender: Gender, taken: Collection[str]) -> str:
        """The speaker's own name."""
        return speaker

    def load(self) -> Synthesize:
        """Nothing is loaded."""

        def synthesize(requests: Sequence[SpeechRequest]) -> list[Speech | Failure]:
            phones = (Phone("t", 0.0, 0.01),)
            return [
                Speech(_noise(zlib.crc32(request.text.encode())), RATE_HZ, phones)
                for request in requests
            ]

        return synthesize


def _noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, RATE_HZ // 100).astype(np.float32)


class NoJudge(Duration):
    """Finds nothing to measure."""

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Nothing is loaded."""

        def judge(items: Sequence[JudgeItem]) -> list[Scores | Failure]:
            return [dict.fromkeys(self.scores, math.nan) for _ in items]

        return judge


def noop_recipe(rows: int, languages: Sequence[str], takes: int, batch_size: int) -> Recipe:
    """A recipe of engines that do nothing; no recipe file can name them."""
    recipe = parse_recipe(
        f"{{name: noop, corpus: {{engine: quickstart}}, languages: [{', '.join(languages)}], "
        f"prosody: {{from: none}}, takes: {takes}, batch_size: {batch_size}}}"
    )
    engines = {
        "corpus": NumberedCorpus(rows=rows),
        "translation": Echo(),
        "synthesis": Click(),
        "judges": (NoJudge(),),
    }
    return recipe.model_copy(update=engines)
