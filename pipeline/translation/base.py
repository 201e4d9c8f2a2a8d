"""What a translator is: English texts go in, texts in one language come out or a reason why not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from pipeline.engine import Engine
from pipeline.languages import Language
from pipeline.records import Failure

Translate = Callable[[Sequence[str], Language], "list[str | Failure]"]


class Translator(Engine):
    """A way to say English texts in another language."""

    @abstractmethod
    def load(self) -> Translate:
        """Load the engine once for a worker; every answer is independent of the batch around it."""
