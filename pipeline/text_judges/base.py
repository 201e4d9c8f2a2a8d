"""What a judge of texts is: lines go in, scores come out by name. It measures and never decides."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from pipeline.emotions import Emotion
from pipeline.engine import Engine
from pipeline.judges.base import Scores
from pipeline.languages import SOURCE, Language
from pipeline.needs import Lack
from pipeline.records import Failure


@dataclass(frozen=True, slots=True)
class TextItem:
    """A line with the English sentence that it says; both are the same where it is in English."""

    source_text: str
    text: str
    language: Language
    emotion: Emotion
    hit_length_cap: bool = False

    @property
    def translated(self) -> bool:
        """Whether anybody had to translate it."""
        return self.language != SOURCE


TextJudgeBatch = Callable[[Sequence[TextItem]], "list[Scores | Failure]"]


class TextJudge(Engine):
    """A measuring instrument for texts; English lines get the scores of a perfect translation."""

    needs_languages: ClassVar[bool] = False
    """Whether a score depends on which languages the recipe has besides the line's own."""

    @property
    @abstractmethod
    def checks(self) -> str:
        """What it looks at, as a card says it of every line; a class variable."""

    @property
    @abstractmethod
    def scores(self) -> Mapping[str, str]:
        """What it writes for every line: names, and in words for a card what each is, with units.

        A class variable where the settings don't change it.
        """

    def lacks_for(self, languages: Sequence[Language]) -> Iterator[Lack]:
        """As `lacks`, for a judge that has a model for each language."""
        return self.lacks()

    def pinned_for(self, languages: Sequence[Language]) -> Self:
        """As `pinned`, for a judge that has a model for each language."""
        return self.pinned()

    @abstractmethod
    def load(self, languages: tuple[Language, ...]) -> TextJudgeBatch:
        """Load the judge once for a worker; a score is independent of the batch around it.

        `languages`: those of the recipe.
        """
