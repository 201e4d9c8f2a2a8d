"""SeamlessM4T v2, from text to text; `pipeline/synthesis/seamless.py` is its speech."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pipeline.languages import ABOUT, LANGUAGES, Language
from pipeline.needs import Price
from pipeline.pretrained.named import ModelName
from pipeline.translation.seq2seq import Multilingual, Steering, token_id

_V2 = "facebook/seamless-m4t-v2-large"
_LACKING: frozenset[Language] = frozenset({"sq"})
"""Of ours, those that `_V2` doesn't write (its documentation's table of languages, target "Tx")."""


class Seamless(Multilingual):
    """SeamlessM4T v2's text translator through transformers: 96 languages, named as in ISO 639-3.

    Model card: https://huggingface.co/facebook/seamless-m4t-v2-large. Licence: CC-BY-NC-4.0. Paper:
    Seamless Communication 2023, Seamless: multilingual expressive and streaming speech translation,
    arXiv:2312.05187. Its speech encoder and vocoder are not loaded.
    """

    kind: ClassVar[str] = "SeamlessM4Tv2ForTextToText"
    engine: Literal["seamless"] = "seamless"
    version: ClassVar[int] = 1
    price: ClassVar[Price] = Price("cuda", 0.05, "line", "as NLLB, by size (assumed)")
    model: ModelName = _V2

    @property
    def languages(self) -> frozenset[Language] | None:
        """Those of the published model; another one's are known once it is loaded."""
        return frozenset(LANGUAGES) - _LACKING if self.model == _V2 else None

    def steer(self, tokenizer: Any, source: Language, target: Language) -> Steering:
        """The target's code is the first token that the decoder is given."""
        own, other = ABOUT[source].iso639_3, ABOUT[target].iso639_3
        token_id(tokenizer, f"__{own}__", source)
        tokenizer.src_lang = own
        first = token_id(tokenizer, f"__{other}__", target)
        return Steering(arguments={"tgt_lang": other}, silent=frozenset({first}))
