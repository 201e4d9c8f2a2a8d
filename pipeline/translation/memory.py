"""Translations that people wrote: a table of lines, one column a language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from pipeline.engine import digest, short_enough
from pipeline.languages import Language
from pipeline.needs import Price
from pipeline.records import Failure
from pipeline.translation.base import Fingerprints, Sentence, Translate, Translation, Translator
from pipeline.translation.table import pairs, read_table, table_text

_FIELD = "translation.path"


class Memory(Translator):
    """A translation memory: a TSV file with a header of language codes, one sentence a row.

    `builtin:quickstart` is the one that comes with m5ser, `pipeline/corpora/quickstart.tsv`:
    correct a line there and the next build says it so. Other columns are ignored. Licence: the
    file's; the built-in ones are Apache-2.0. Languages: those of its header.
    """

    engine: Literal["memory"] = "memory"
    version: ClassVar[int] = 1
    price: ClassVar[Price] = Price("cpu", 0.0, "line", "a look-up")
    path: Annotated[str, AfterValidator(short_enough)] = "builtin:quickstart"
    """The TSV file, or `builtin:quickstart`."""

    def need(self, languages: Sequence[Language]) -> None:
        """Make sure that the table has a column for every language.

        Raises:
            InputError: as `load`, or it has none for one of them.
        """
        read_table(self.path, _FIELD, languages)

    def fingerprint(self) -> str:
        """Hash of the table's text: a corrected line is a new translation, wherever the file lies.

        Raises:
            InputError: as `load`.
        """
        return digest(type(self).__name__, self.version, table_text(self.path, _FIELD))

    def fingerprints(self) -> Fingerprints:
        """By what the table says of the texts: a corrected line changes its own batch alone.

        Raises:
            InputError: as `load`.
        """
        known = self.known()

        def fingerprint(texts: Sequence[str], source: Language, target: Language) -> str:
            answers = [known(source, target).get(text.strip()) for text in texts]
            return digest(type(self).__name__, self.version, answers)

        return fingerprint

    def load(self) -> Translate:
        """Read the table.

        Raises:
            InputError: the file is missing, too large, or has no English column.
        """
        known = self.known()

        def translate(
            sentences: Sequence[Sentence], source: Language, target: Language
        ) -> list[Translation | Failure]:
            return [self._look_up(known(source, target), one.text, target) for one in sentences]

        return translate

    def known(self) -> Callable[[Language, Language], dict[str, str]]:
        """What the table says in one language by what it says in another, made once for each.

        Raises:
            InputError: as `load`.
        """
        rows = read_table(self.path, _FIELD)
        return cache(lambda source, target: pairs(rows, source, target))

    def _look_up(self, known: dict[str, str], text: str, target: Language) -> Translation | Failure:
        found = known.get(text.strip())
        if found is None:
            return Failure("translate", f"the memory has no {target} translation of: {text}")
        return Translation(found)
