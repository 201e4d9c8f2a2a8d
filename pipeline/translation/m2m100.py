"""M2M-100, Meta's translator for a hundred languages, with a licence that allows everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pipeline.languages import LANGUAGES, Language
from pipeline.needs import Price
from pipeline.pretrained.named import ModelName
from pipeline.translation.seq2seq import Multilingual, Steering, token_id

_CODES: Mapping[Language, str] = {"nb": "no"}
"""Where it doesn't name a language as BCP-47 does."""
_PUBLISHED = ("facebook/m2m100_418M", "facebook/m2m100_1.2B")
_LACKING: frozenset[Language] = frozenset({"eu", "te"})
"""Of ours, those that the published models never learned (Fan et al. 2021, table 1)."""


class M2m100(Multilingual):
    """M2M-100 through transformers: 100 languages, each into each.

    Model card: https://huggingface.co/facebook/m2m100_418M (also `m2m100_1.2B`). Licence: MIT.
    Paper: Fan et al. 2021, Beyond English-centric multilingual machine translation, JMLR 22(107).
    """

    engine: Literal["m2m100"] = "m2m100"
    version: ClassVar[int] = 1
    price: ClassVar[Price] = Price("cuda", 0.013, "line", "as NLLB-600M on a T4 (CTranslate2)")
    model: ModelName = "facebook/m2m100_418M"

    @property
    def languages(self) -> frozenset[Language] | None:
        """Those of the published models; another one's are known once it is loaded."""
        return frozenset(LANGUAGES) - _LACKING if self.model in _PUBLISHED else None

    def steer(self, tokenizer: Any, source: Language, target: Language) -> Steering:
        """The target's code is the first token that the decoder must write."""
        own, other = (_CODES.get(one, one) for one in (source, target))
        token_id(tokenizer, f"__{own}__", source)
        tokenizer.src_lang = own
        first = token_id(tokenizer, f"__{other}__", target)
        return Steering(arguments={"forced_bos_token_id": first}, silent=frozenset({first}))
