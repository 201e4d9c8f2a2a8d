"""The family of translators, told apart by their field `engine`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.translation.llm import Llm
from pipeline.translation.m2m100 import M2m100
from pipeline.translation.madlad import Madlad
from pipeline.translation.marian import Marian
from pipeline.translation.memory import Memory
from pipeline.translation.nllb import Nllb
from pipeline.translation.seamless import Seamless

AnyTranslator = Annotated[
    Memory | Nllb | M2m100 | Madlad | Marian | Seamless | Llm, Field(discriminator="engine")
]
