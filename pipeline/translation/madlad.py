"""MADLAD-400, Google's T5 that translates into more than four hundred languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pipeline.languages import Language
from pipeline.needs import Price
from pipeline.pretrained.devices import Half
from pipeline.pretrained.named import ModelName
from pipeline.translation.seq2seq import Multilingual, Steering, token_id

_CODES: Mapping[Language, str] = {"nb": "no", "tl": "fil"}
"""Where it names a language otherwise than we do (Kudugunta et al. 2023, appendix)."""


class Madlad(Multilingual):
    """MADLAD-400 through transformers: told by a token `<2de>` before the text.

    Model card: https://huggingface.co/google/madlad400-3b-mt (also `madlad400-7b-mt`,
    `madlad400-10b-mt`). Licence: Apache-2.0. Languages: over 450. Paper: Kudugunta et al. 2023,
    MADLAD-400: a multilingual and document-level large audited dataset, NeurIPS. Half precision is
    bfloat16: T5's feed-forward layers leave float16's range.
    """

    half: ClassVar[Half] = "bfloat16"
    engine: Literal["madlad"] = "madlad"
    version: ClassVar[int] = 2
    price: ClassVar[Price] = Price("cuda", 0.07, "line", "as NLLB-3.3B (assumed)")
    model: ModelName = "google/madlad400-3b-mt"

    def steer(self, tokenizer: Any, source: Language, target: Language) -> Steering:
        """The model finds out the source language by itself."""
        token = f"<2{_CODES.get(target, target)}>"
        token_id(tokenizer, token, target)
        return Steering(prefix=f"{token} ")
