"""Every engine that runs what others made says where it is, its licence, and who wrote it."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

import pytest

from pipeline.recipe import AnyJudge, AnySynthesizer
from pipeline.text_judges.any import AnyTextJudge
from pipeline.translation.any import AnyTranslator

OWN = {"duration", "clipping", "prosody", "probe", "form", "memory", "command"}
"""Engines of m5ser's own code, or of a program that the recipe names."""
LICENCE = r"MIT|Apache|GPL|CC[ -]BY|licen[cs]e"


def engines() -> dict[str, type]:
    """All engines of the unions that a recipe chooses from, by union and name."""
    found: dict[str, type] = {}
    unions: tuple[Any, ...] = (AnyTranslator, AnySynthesizer, AnyJudge, AnyTextJudge)
    for annotated in unions:
        for engine in get_args(get_args(annotated)[0]):
            name = engine.model_fields["engine"].default
            if name not in OWN:
                found[f"{engine.__module__}.{name}"] = engine
    return found


@pytest.mark.parametrize("engine", engines().values(), ids=engines())
def test_the_docstring_names_card_licence_languages_and_paper(engine):
    text = inspect.getdoc(engine) or ""
    if re.search(r"are\s+those of the model that you\s+name", text):
        assert {"card", "licence", "languages", "paper"} <= set(re.findall(r"\w+", text.lower()))
        return
    assert "https://" in text
    assert re.search(LICENCE, text)
    assert re.search(r"languages?\b|English|multilingual|Languages: ", text)
    assert re.search(r"(19|20)\d\d|no paper|No paper", text)
