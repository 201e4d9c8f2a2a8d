"""Every engine that runs what others made says where it is, its licence, and who wrote it."""

from __future__ import annotations

import inspect
import re

import pytest

from pipeline.judges.any import AnyJudge
from pipeline.synthesis.any import AnySynthesizer
from pipeline.text_judges.any import AnyTextJudge
from pipeline.translation.any import AnyTranslator
from tests.unions import engines_of

OWN = {"duration", "clipping", "prosody", "probe", "form", "memory", "command"}
"""Engines of m5ser's own code, or of a program that the recipe names."""
NAMED_BY_YOU = r"are\s+those of the model that you\s+name"
SAID_OF_YOURS = {word: rf"(?i)\b{word}\b" for word in ("card", "licence", "languages", "paper")}
SAID = {
    "where it is published (https://...)": r"https://",
    "its licence (as MIT, or CC BY 4.0)": r"MIT|Apache|GPL|CC[ -]BY|licen[cs]e",
    "its languages (as: 99 languages; English)": r"languages?\b|English|multilingual|Languages: ",
    "its paper with the year (or: no paper)": r"(19|20)\d\d|no paper|No paper",
}


def engines() -> dict[str, type]:
    """All engines of the unions that a recipe chooses from, by module and name."""
    found: dict[str, type] = {}
    for union in (AnyTranslator, AnySynthesizer, AnyJudge, AnyTextJudge):
        for engine in engines_of(union):
            name = engine.model_fields["engine"].default
            if name not in OWN:
                found[f"{engine.__module__}.{name}"] = engine
    return found


def unsaid(text: str) -> list[str]:
    """What an engine's docstring has still to say."""
    wanted = SAID_OF_YOURS if re.search(NAMED_BY_YOU, text) else SAID
    return [what for what, pattern in wanted.items() if not re.search(pattern, text)]


@pytest.mark.parametrize("engine", engines().values(), ids=engines())
def test_the_docstring_names_card_licence_languages_and_paper(engine):
    lacking = unsaid(inspect.getdoc(engine) or "")
    assert not lacking, (
        f"add to the docstring of {engine.__module__}.{engine.__name__}: {'; '.join(lacking)}. "
        "If nobody else made what it runs, add its name to OWN in this test instead"
    )


def test_what_a_docstring_lacks_is_said_by_name():
    assert unsaid("A judge of quality, MIT.") == [what for what in SAID if "licence" not in what]
    assert unsaid("Its card and licence are those of the model that you\nname.") == [
        "languages",
        "paper",
    ]
