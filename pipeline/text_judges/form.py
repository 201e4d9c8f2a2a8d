"""What can be seen of a translation without understanding it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from rapidfuzz.distance import Levenshtein

from pipeline.judges.agreement import UNSPACED, repetition
from pipeline.judges.base import Scores
from pipeline.languages import Language
from pipeline.records import Failure
from pipeline.scripts import script_share
from pipeline.text_judges.base import TextItem, TextJudge, TextJudgeBatch


class Form(TextJudge):
    """Length, script, and what goes wrong with translators: copies, loops, answers without end.

    `text_length_ratio`: characters over those of the source; Mandarin needs about a third of
    English's, so give it limits of its own. `text_script_share`: of the letters, those of the
    language's script; 0 without any letter. `text_copied`: similarity of the letters to the
    source's, 1 for an untranslated copy; "No!" may rightly be one. `text_repetition`: share of
    repeated 4-grams beyond the source's (`pipeline.judges.agreement.repetition`), of words, or of
    characters where words are not spaced. `text_hit_length_cap`: 1 if the translator was cut off.
    """

    engine: Literal["form"] = "form"
    version: ClassVar[int] = 2
    checks: ClassVar[str] = (
        "length, copied letters and repetition against the English sentence, the script, and "
        "whether the translator was cut off"
    )
    scores: ClassVar[Mapping[str, str]] = {
        "text_length_ratio": "characters over those of the source",
        "text_script_share": "letters in the language's script, as a share",
        "text_copied": "likeness to the source's letters, 1 for an untranslated copy",
        "text_repetition": "repeated 4-grams beyond the source's, as a share",
        "text_hit_length_cap": "1 if the translator was cut off, else 0",
    }

    def load(self, languages: tuple[Language, ...]) -> TextJudgeBatch:
        """Nothing has to be loaded."""

        def judge_batch(items: Sequence[TextItem]) -> list[Scores | Failure]:
            return [_score(item) for item in items]

        return judge_batch


def _score(item: TextItem) -> Scores | Failure:
    if not item.text.strip() or not item.source_text.strip():
        return Failure("check", "the text is blank, so it has no form")
    loops = repetition(_units(item.text, item.language)) - repetition(item.source_text.split())
    return {
        "text_length_ratio": len(item.text.strip()) / len(item.source_text.strip()),
        "text_script_share": script_share(item.text, item.language),
        "text_copied": _similarity(item.source_text, item.text) if item.translated else 0.0,
        "text_repetition": max(0.0, loops),
        "text_hit_length_cap": float(item.hit_length_cap),
    }


def _similarity(one: str, other: str) -> float:
    """1 minus the edit distance of the letters over the longer's length; 0 where one has none."""
    letters = "".join(_letters(one)).casefold(), "".join(_letters(other)).casefold()
    return float(Levenshtein.normalized_similarity(*letters)) if all(letters) else 0.0


def _letters(text: str) -> list[str]:
    return [one for one in text if one.isalpha()]


def _units(text: str, language: Language) -> list[str]:
    return _letters(text) if language in UNSPACED else text.split()
