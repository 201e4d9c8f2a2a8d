"""Whether a line is in the language that was wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pipeline.judges.base import Scores
from pipeline.judges.bundled import need
from pipeline.languages import SOURCE, Language
from pipeline.needs import Price
from pipeline.records import Failure
from pipeline.text_judges.base import TextItem, TextJudge, TextJudgeBatch

_PACKAGE = "lingua-language-detector>=2.1"
_BESIDE_ENGLISH: tuple[Language, ...] = ("de", "fr", "it", "es", "zh")
"""What an English text is told from where a recipe has no other language."""


class TextLanguage(TextJudge):
    """Probability that a text is in the wanted language, among those it may be in (lingua).

    https://github.com/pemistahl/lingua-py, Apache-2.0, 75 languages, no paper.
    The candidates are the recipe's languages and English, the language of what a translator left
    untranslated; for a recipe of English alone, five others. A text without a letter of
    any candidate (digits, emoji) scores 0.
    """

    engine: Literal["language"] = "language"
    version: ClassVar[int] = 2
    checks: ClassVar[str] = "the language of the text (lingua)"
    wheels: ClassVar[tuple[str, ...]] = ("lingua-language-detector",)
    price: ClassVar[Price] = Price("cpu", 0.001, "line", "assumed")
    needs_languages: ClassVar[bool] = True
    scores: ClassVar[Mapping[str, str]] = {
        "text_language_probability": "probability that the text is in its language",
    }

    def load(self, languages: tuple[Language, ...]) -> TextJudgeBatch:
        """Build the detector; it reads its models when a text first needs them.

        Raises:
            ModuleNotFoundError: lingua-language-detector is not installed.
        """
        lingua = need("lingua", _PACKAGE)
        names = {code: _lingua_name(lingua, code) for code in candidates(languages)}
        detector = lingua.LanguageDetectorBuilder.from_languages(*names.values()).build()

        def judge_batch(items: Sequence[TextItem]) -> list[Scores | Failure]:
            texts = [item.text for item in items]
            found = detector.compute_language_confidence_values_in_parallel(texts)
            return [
                _score(item, {value.language: value.value for value in values}, names)
                for item, values in zip(items, found, strict=True)
            ]

        return judge_batch


def candidates(languages: Sequence[Language]) -> tuple[Language, ...]:
    """The languages that a text of the recipe may be in; always two or more."""
    possible = tuple(dict.fromkeys((*languages, SOURCE)))
    return possible if len(possible) > 1 else (SOURCE, *_BESIDE_ENGLISH)


def _score(item: TextItem, found: dict[Any, float], names: dict[Language, Any]) -> Scores | Failure:
    if not item.text.strip():
        return Failure("check", "the text is blank, so it has no language")
    if item.language not in names:
        return Failure(
            "check", f"the line is in '{item.language}', the recipe has {', '.join(names)}"
        )
    # lingua adds in another order every time: its last digits would change the bytes of a set.
    return {"text_language_probability": round(found[names[item.language]], 9)}


def _lingua_name(lingua: Any, code: Language) -> Any:
    return lingua.Language.from_iso_code_639_1(lingua.IsoCode639_1.from_str(code))
