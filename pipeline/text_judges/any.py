"""The family of judges of texts, told apart by their field `engine`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.text_judges.back_translation import BackTranslation
from pipeline.text_judges.emotion import TextEmotion
from pipeline.text_judges.form import Form
from pipeline.text_judges.language import TextLanguage

AnyTextJudge = Annotated[
    TextLanguage | Form | BackTranslation | TextEmotion, Field(discriminator="engine")
]
