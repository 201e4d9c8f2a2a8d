"""The family of corpora: one, or several as one, told apart by their field `engine`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.corpora.several import AnyPart, Several

AnyCorpus = Annotated[AnyPart | Several, Field(discriminator="engine")]
