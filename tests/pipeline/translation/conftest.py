"""Every neural translator on a tiny random checkpoint of its real format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.translation.any import AnyTranslator
from pipeline.translation.base import Sentence
from pipeline.translation.llm import Llm
from pipeline.translation.m2m100 import M2m100
from pipeline.translation.madlad import Madlad
from pipeline.translation.marian import Marian
from pipeline.translation.nllb import Nllb
from pipeline.translation.seamless import Seamless
from tests.checkpoints import text

SENTENCES = tuple(
    Sentence(words, "angry")
    for words in (
        "Leave me alone!",
        "I can't believe that you did this to me again.",
        "No.",
        "Kids are talking by the door, and nobody listens, although they said they would.",
    )
)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of checkpoints, one for each engine, and OPUS-MT's for two pairs."""
    root = tmp_path_factory.mktemp("translators")
    text.tiny_nllb(root / "nllb")
    text.tiny_m2m100(root / "m2m100")
    text.tiny_madlad(root / "madlad")
    text.tiny_seamless(root / "seamless")
    text.tiny_llama_chat(root / "llm")
    text.tiny_marian(root / "opus-mt-en-de")
    text.tiny_marian(root / "opus-mt-en-zh", seed=1, targets=(">>cmn_Hans<<",))
    return root


@pytest.fixture(scope="session")
def engines(folders: Path) -> Mapping[str, AnyTranslator]:
    """The engines by name, greedy."""
    return {
        "nllb": Nllb(model=str(folders / "nllb"), beams=1),
        "m2m100": M2m100(model=str(folders / "m2m100"), beams=1),
        "madlad": Madlad(model=str(folders / "madlad"), beams=1),
        "seamless": Seamless(model=str(folders / "seamless"), beams=1),
        "marian": Marian(model=str(folders / "opus-mt-{source}-{target}"), beams=1),
        "llm": Llm(model=str(folders / "llm")),
    }


@pytest.fixture(scope="session")
def translate(engines: Mapping[str, AnyTranslator]) -> Callable[..., Any]:
    """Translates sentences from English with an engine, loaded once for all tests."""
    loaded = {name: engine.load() for name, engine in engines.items()}

    def run(name: str, sentences: Any = SENTENCES, language: str = "de") -> list[Any]:
        return loaded[name](sentences, "en", language)

    return run
