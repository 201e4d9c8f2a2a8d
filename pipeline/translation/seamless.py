"""SeamlessM4T v2, from text to text; `pipeline/synthesis/seamless.py` is its speech."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pipeline.languages import Language
from pipeline.pretrained.named import ModelName
from pipeline.translation.seq2seq import Multilingual, Steering, token_id

CODES: Mapping[Language, str] = {
    "en": "eng",
    "de": "deu",
    "fr": "fra",
    "it": "ita",
    "es": "spa",
    "zh": "cmn",
}
"""ISO 639-3, with Mandarin in simplified characters as `cmn` (the model card's table)."""


class Seamless(Multilingual):
    """SeamlessM4T v2's text translator through transformers: 96 languages.

    Model card: https://huggingface.co/facebook/seamless-m4t-v2-large. Licence: CC-BY-NC-4.0. Paper:
    Seamless Communication 2023, Seamless: multilingual expressive and streaming speech translation,
    arXiv:2312.05187. Its speech encoder and vocoder are not loaded.
    """

    kind: ClassVar[str] = "SeamlessM4Tv2ForTextToText"
    engine: Literal["seamless"] = "seamless"
    version: ClassVar[int] = 1
    model: ModelName = "facebook/seamless-m4t-v2-large"

    def steer(self, tokenizer: Any, source: Language, target: Language) -> Steering:
        """The target's code is the first token that the decoder is given."""
        token_id(tokenizer, f"__{CODES[source]}__", source)
        tokenizer.src_lang = CODES[source]
        first = token_id(tokenizer, f"__{CODES[target]}__", target)
        return Steering(arguments={"tgt_lang": CODES[target]}, silent=frozenset({first}))
