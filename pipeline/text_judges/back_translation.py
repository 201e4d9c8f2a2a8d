"""Whether a translation says what its source says: it is translated back, and both are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pipeline.engine import digest
from pipeline.judges.base import Scores
from pipeline.judges.bundled import need
from pipeline.languages import SOURCE, Language
from pipeline.needs import Lack, Price
from pipeline.records import Failure
from pipeline.text_judges.base import TextItem, TextJudge, TextJudgeBatch
from pipeline.translation.any import AnyTranslator
from pipeline.translation.base import Sentence, Translation

_PACKAGE = "sacrebleu>=2.5"


class BackTranslation(TextJudge):
    """chrF of the translation's translation back to English against the source (Popović 2015).

    From 0 to 1, with the defaults of sacrebleu (Post 2018; https://github.com/mjpost/sacrebleu,
    Apache-2.0): character 6-grams, beta 2 (chrF2). Use another
    translator than the one that wrote the lines, or it will find its own mistakes sensible. 1 for a
    line that is in English.
    """

    engine: Literal["back_translation"] = "back_translation"
    version: ClassVar[int] = 1
    checks: ClassVar[str] = "how much of the sentence comes back when the line is translated back"
    scores: ClassVar[Mapping[str, str]] = {
        "back_translation_chrf": "chrF of the line's translation back against the source, 0 to 1",
    }
    translator: AnyTranslator
    """What translates a line back into English."""

    @property
    def wants_gpu(self) -> bool:
        """As its translator."""
        return self.translator.wants_gpu

    @property
    def languages(self) -> frozenset[Language] | None:
        """As its translator."""
        return self.translator.languages

    def prices(self) -> Mapping[str, Price]:
        """As its translator's."""
        return {self.title: self.translator.price}

    def lacks_for(self, languages: Sequence[Language]) -> Iterator[Lack]:
        """As its translator's."""
        return self.translator.lacks_for(_back(languages))

    def pinned_for(self, languages: Sequence[Language]) -> Self:
        """The same settings with the translator's revisions.

        Raises:
            InputError: as the translator's own.
        """
        translator = self.translator.pinned_for(_back(languages))
        return self.model_copy(update={"translator": translator})

    def fingerprint(self) -> str:
        """Hash of what the translator makes: of its own settings, version and files."""
        return digest(type(self).__name__, self.version, self.translator.fingerprint())

    def load(self, languages: tuple[Language, ...]) -> TextJudgeBatch:
        """Load the translator.

        Raises:
            ModuleNotFoundError: sacrebleu is not installed.
            InputError: as the translator's own.
        """
        chrf = need("sacrebleu", _PACKAGE).CHRF()
        translate = self.translator.load()

        def judge_batch(items: Sequence[TextItem]) -> list[Scores | Failure]:
            back: dict[int, Translation | Failure] = {}
            for language in {item.language for item in items if item.translated}:
                places = [at for at, item in enumerate(items) if item.language == language]
                sentences = [Sentence(items[at].text, items[at].emotion) for at in places]
                back.update(zip(places, translate(sentences, language, SOURCE), strict=True))
            return [_score(item, back.get(at), chrf) for at, item in enumerate(items)]

        return judge_batch


def _back(languages: Sequence[Language]) -> list[tuple[Language, Language]]:
    return [(language, SOURCE) for language in languages if language != SOURCE]


def _score(item: TextItem, back: Translation | Failure | None, chrf: Any) -> Scores | Failure:
    if isinstance(back, Failure):
        return Failure("check", f"back to English: {back.error}")
    if back is None:  # it is in English
        return {"back_translation_chrf": 1.0}
    found = chrf.sentence_score(back.text, [item.source_text]).score
    return {"back_translation_chrf": float(found) / 100}
