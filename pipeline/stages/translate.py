"""Utterances of a batch become lines in one language."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import tables
from pipeline.engine import digest
from pipeline.languages import Language
from pipeline.loading import loaded
from pipeline.records import Failure, Tally
from pipeline.store import Store
from pipeline.translation.base import Translator

STAGE = "lines"
_VERSION = 1


def key(translator: Translator, language: Language, texts: Sequence[tuple[str, str]]) -> str:
    """Name of the lines of (id, text) pairs: recipes with the same translation share them."""
    return digest(STAGE, _VERSION, translator.fingerprint(), language, list(texts))


def run(
    store: Store,
    output: str,
    translator: Translator,
    language: Language,
    texts: Sequence[tuple[str, str]],
) -> Tally:
    """Translate (id, text) pairs into a language."""
    translate = loaded(translator.fingerprint(), translator.load)
    answers = translate([text for _, text in texts], language)
    rows = [
        {
            "source_id": source_id,
            "language": language,
            **({"error": a.error} if isinstance(a, Failure) else {"text": a}),
        }
        for (source_id, _), a in zip(texts, answers, strict=True)
    ]
    written = tables.table(rows, tables.LINES)
    store.write(STAGE, output, written)
    return tables.tally(written)
