"""What a translator is: texts go in, texts in another language come out or a reason why not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from pipeline.emotions import Emotion
from pipeline.engine import Engine
from pipeline.languages import Language
from pipeline.needs import Lack
from pipeline.records import Failure


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text, and the emotion that it is said with."""

    text: str
    emotion: Emotion


@dataclass(frozen=True, slots=True)
class Translation:
    """A text in the wanted language; `hit_length_cap` if the engine was cut off at its longest."""

    text: str
    hit_length_cap: bool = False


Translate = Callable[[Sequence[Sentence], Language, Language], "list[Translation | Failure]"]
"""From the second argument's language into the third's, which is another one."""
Fingerprints = Callable[[Sequence[str], Language, Language], str]
"""Hash of all that the translations of some texts depend on, beside the texts; languages as in
`Translate`."""


class Translator(Engine):
    """A way to say texts in another language."""

    def lacks_for(self, pairs: Sequence[tuple[Language, Language]]) -> Iterator[Lack]:
        """As `lacks`, for an engine that has a model for each pair (source, target)."""
        return self.lacks()

    def pinned_for(self, pairs: Sequence[tuple[Language, Language]]) -> Self:
        """As `pinned`, for an engine that has a model for each pair (source, target)."""
        return self.pinned()

    def fingerprints(self) -> Fingerprints:
        """By languages and texts, for an engine that has a model or an answer for each.

        What else changes leaves those translations, and all that is made of them, as they are.

        Raises:
            InputError: what the engine reads can't be read.
        """
        whole = self.fingerprint()
        return lambda _texts, _source, _target: whole

    @abstractmethod
    def load(self) -> Translate:
        """Load the engine once for a worker; every answer is independent of the batch around it."""
