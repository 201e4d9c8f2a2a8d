"""NLLB-200, Meta's translator for two hundred languages."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pipeline.languages import ABOUT, Language
from pipeline.needs import Price
from pipeline.pretrained.named import ModelName
from pipeline.translation.base import Translate
from pipeline.translation.readable import readable_only
from pipeline.translation.sentences import by_sentence
from pipeline.translation.seq2seq import Multilingual, Steering, token_id


def flores_code(language: Language) -> str:
    """FLORES-200's name of a language: ISO 639-3 and script, but for Mandarin, which it calls zho.

    Source: NLLB Team 2022, table 1.
    """
    about = ABOUT[language]
    return f"{'zho' if language == 'zh' else about.iso639_3}_{about.script}"


class Nllb(Multilingual):
    """NLLB-200 through transformers: 200 languages, each into each.

    Model card: https://huggingface.co/facebook/nllb-200-distilled-600M (also `-distilled-1.3B`,
    `-1.3B`, `-3.3B`). Licence: CC-BY-NC-4.0. Paper: NLLB Team 2022, No Language Left Behind:
    scaling human-centered machine translation, arXiv:2207.04672. Some are published as pickles:
    they need `allow_pickle: true`, or a commit with safetensors, which nllb-200-3.3B has as
    f046cc4ebd1ea4aa8015c3d48282a6299d9f3915.
    """

    engine: Literal["nllb"] = "nllb"
    version: ClassVar[int] = 2
    price: ClassVar[Price] = Price(
        "cuda", 0.07, "line", "77 lines/s of NLLB-600M on a T4 (CTranslate2), less by size"
    )
    model: ModelName = "facebook/nllb-200-distilled-600M"
    by_sentence: bool = True
    """Whether the sentences of a text are translated one by one: of several at once it may leave
    out the later ones, and one by itself it takes out of its context."""

    def load(self) -> Translate:
        """Load the model and its tokenizer.

        Raises:
            ModelError: they can't be had, or are not what was pinned.
        """
        translate = self.open(self.folder()).translate
        return readable_only(by_sentence(translate) if self.by_sentence else translate)

    def steer(self, tokenizer: Any, source: Language, target: Language) -> Steering:
        """The target's code is the first token that the decoder must write."""
        token_id(tokenizer, flores_code(source), source)
        tokenizer.src_lang = flores_code(source)
        first = token_id(tokenizer, flores_code(target), target)
        return Steering(arguments={"forced_bos_token_id": first}, silent=frozenset({first}))
