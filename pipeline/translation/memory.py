"""Translations that people wrote: a table of lines, one column a language."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.engine import digest
from pipeline.errors import InputError
from pipeline.languages import SOURCE, Language
from pipeline.records import Failure
from pipeline.translation.base import Translate, Translator

_BUILTIN = "builtin:"
_LARGEST_BYTES = 256 * 1024 * 1024


class Memory(Translator):
    """A translation memory: a TSV file with a header of language codes, one sentence a row.

    `builtin:quickstart` is the one that comes with m5ser, `pipeline/corpora/quickstart.tsv`:
    correct a line there and the next build says it so. Other columns are ignored.
    """

    engine: Literal["memory"] = "memory"
    version: ClassVar[int] = 1
    path: str = "builtin:quickstart"

    def fingerprint(self) -> str:
        """Hash of the table's text: a corrected line is a new translation, wherever the file lies.

        Raises:
            InputError: as `load`.
        """
        return digest(type(self).__name__, self.version, _text(self.path))

    def load(self) -> Translate:
        """Read the table.

        Raises:
            InputError: the file is missing, too large, or has no English column.
        """
        rows = _read(_text(self.path), self.path)

        def translate(texts: Sequence[str], language: Language) -> list[str | Failure]:
            return [_look_up(rows, text, language, self.path) for text in texts]

        return translate


def _text(path: str) -> str:
    """The table's text, from the package for a `builtin:` name."""
    table: Traversable = Path(path)
    if path.startswith(_BUILTIN):
        table = files("pipeline.corpora").joinpath(f"{path.removeprefix(_BUILTIN)}.tsv")
    if not table.is_file():
        raise InputError(f"translation.path: there is no translation memory '{path}'")
    if isinstance(table, Path) and table.stat().st_size > _LARGEST_BYTES:
        raise InputError(f"translation.path: '{path}' is larger than {_LARGEST_BYTES >> 20} MiB")
    return table.read_text(encoding="utf-8-sig")


def _read(text: str, name: str) -> dict[str, dict[str, str]]:
    reader = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    if SOURCE not in (reader.fieldnames or ()):
        raise InputError(f"translation.path: '{name}' has no column '{SOURCE}' in its first line")
    return {row[SOURCE].strip(): row for row in reader if row[SOURCE]}


def _look_up(
    rows: dict[str, dict[str, str]], text: str, language: Language, name: str
) -> str | Failure:
    if language == SOURCE:
        return text
    found = (rows.get(text.strip(), {}).get(language) or "").strip()
    if found:
        return found
    return Failure("translate", f"'{name}' has no {language} translation of: {text}")
