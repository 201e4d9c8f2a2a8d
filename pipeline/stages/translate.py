"""Utterances of a batch become lines in one language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline import tables
from pipeline.emotions import Emotion
from pipeline.engine import digest
from pipeline.errors import InputError
from pipeline.languages import SOURCE, Language
from pipeline.loading import loaded
from pipeline.records import Failure, Tally, composed
from pipeline.scripts import character_error
from pipeline.store import Store
from pipeline.translation.base import Fingerprints, Sentence, Translation, Translator
from pipeline.translation.table import Rows, pairs

STAGE = "lines"
CORRECTION = "correction"
"""The translator of a line that a person has put in the engine's place."""
_VERSION = 5


class Text(NamedTuple):
    """An utterance's English text, and what a person has it say in the wanted language."""

    id: str
    text: str
    emotion: Emotion
    correction: str | None = None


def corrected(texts: Sequence[Text], corrections: Rows, language: Language) -> tuple[Text, ...]:
    """The texts with what a table of corrections has for them in a language."""
    known = pairs(corrections, SOURCE, language) if language != SOURCE else {}
    return tuple(one._replace(correction=known.get(one.text.strip())) for one in texts)


def key(engine: Fingerprints, language: Language, texts: Sequence[Text]) -> str:
    """Name of the lines of texts: recipes with the same translation share them."""
    asked = [one.text for one in texts if one.correction is None]
    made_by = engine(asked, SOURCE, language) if language != SOURCE and asked else None
    return digest(STAGE, _VERSION, made_by, language, list(texts))


def run(
    store: Store,
    output: str,
    translator: Translator,
    language: Language,
    texts: Sequence[Text],
) -> Tally:
    """Translate texts into a language; English stays as it is, and corrections go first.

    Raises:
        InputError: a table of translations is not the one that `output` was named after.
    """
    made = _translated(translator, language, texts)
    rows = [
        {"source_id": one.id, "language": language, **_line(translator, language, one, made)}
        for one in texts
    ]
    if output != key(translator.fingerprints(), language, texts):
        raise InputError(
            "translation: what it is made with has changed since the build began, or is another on "
            "this machine: the same command goes on with what is there now"
        )
    written = tables.table(rows, tables.LINES)
    store.write(STAGE, output, written)
    return tables.tally(written)


def _translated(
    translator: Translator, language: Language, texts: Sequence[Text]
) -> Iterator[Translation | Failure]:
    """What the engine says of the texts that nobody has corrected, in their order."""
    open_texts = [one for one in texts if one.correction is None]
    if language == SOURCE or not open_texts:
        return iter(())
    translate = loaded(translator.fingerprint(), translator.load)
    sentences = [Sentence(one.text, one.emotion) for one in open_texts]
    return iter(translate(sentences, SOURCE, language))


def _line(
    translator: Translator,
    language: Language,
    one: Text,
    made: Iterator[Translation | Failure],
) -> Mapping[str, Any]:
    """The fields of a line, taking the next of the engine's answers where it was asked."""
    if language == SOURCE:
        return {"text": one.text, "hit_length_cap": False}
    by = CORRECTION if one.correction is not None else translator.engine
    answer = Translation(one.correction) if one.correction is not None else next(made)
    if isinstance(answer, Failure):
        return {"translator": by, "error": answer.error}
    if error := character_error(answer.text):
        return {"translator": by, "error": error}
    text = composed(answer.text)
    return {"text": text, "translator": by, "hit_length_cap": answer.hit_length_cap}
