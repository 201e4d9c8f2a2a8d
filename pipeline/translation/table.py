"""Tables of what people have translated: TSV files with a header of language codes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.languages import LANGUAGES, SOURCE, Language
from pipeline.records import composed

_BUILTIN = "builtin:"
_LARGEST_BYTES = 256 * 1024 * 1024

Rows = list[dict[str, str]]


def table_text(path: str, field: str) -> str:
    """The text of a table, from the package for a `builtin:` name; `field` is the recipe's.

    Raises:
        InputError: the file is missing, too large or not UTF-8.
    """
    table: Traversable = Path(path)
    if path.startswith(_BUILTIN):
        table = files("pipeline.corpora").joinpath(f"{path.removeprefix(_BUILTIN)}.tsv")
    if not table.is_file():
        raise InputError(f"{field}: there is no translation memory '{path}'")
    if isinstance(table, Path) and table.stat().st_size > _LARGEST_BYTES:
        raise InputError(f"{field}: '{path}' is larger than {_LARGEST_BYTES >> 20} MiB")
    try:
        return table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{field}: '{path}' is not UTF-8 ({error.reason}): save it as UTF-8"
        ) from error


def read_table(path: str, field: str, languages: Sequence[Language] = ()) -> Rows:
    """The rows of a table; columns that are no language of ours are left in.

    Raises:
        InputError: as `table_text`, or the table has no English column, none for one of the
            `languages`, a language's column twice or by another name, or a row with too many cells.
    """
    # Other ends of lines that `splitlines` knows may stand within a sentence.
    lines = io.StringIO(table_text(path, field))
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        names = reader.fieldnames or ()
        _check_columns(path, field, names)
        lacking = [one for one in dict.fromkeys((SOURCE, *languages)) if one not in names]
        if lacking:
            columns = " and no column ".join(f"'{one}'" for one in lacking)
            fix = "add it there, or take the language out of `languages`"
            if SOURCE in lacking:
                fix = "it has the codes of languages, with tabs between them"
            raise InputError(f"{field}: '{path}' has no column {columns} in its first line: {fix}")
        return [_row(path, field, row, reader.line_num) for row in reader]
    except csv.Error as error:
        raise InputError(f"{field}: '{path}', line {reader.line_num + 1}: {error}") from error


def _check_columns(path: str, field: str, names: Sequence[str]) -> None:
    """Refuse columns that would be left unread, though they are a language's."""
    for name in names:
        code = name.strip().lower()
        if code in LANGUAGES and (name not in (code, "ID") or names.count(code) > 1):
            fix = "leave one" if name == code else f"call it '{code}', or take it out"
            raise InputError(
                f"{field}: '{path}' has the column {name!r} in its first line"
                f"{' more than once' if name == code else ''}: {fix}"
            )


def _row(path: str, field: str, row: dict[str | None, Any], line: int) -> dict[str, str]:
    """A row by its columns; of a sentence with a tab in it only a part would be read."""
    if any(row.pop(None, None) or ()):
        raise InputError(
            f"{field}: '{path}', line {line} has more cells than the first line: take the tab out "
            "of its sentence"
        )
    return {name: text for name, text in row.items() if name is not None}


def _cell(row: dict[str, str], language: Language) -> str:
    return composed(row.get(language) or "").strip()


def pairs(rows: Rows, source: Language, target: Language) -> dict[str, str]:
    """What the rows say in one language, by what they say in another; the last of equals counts."""
    both = [(_cell(row, source), _cell(row, target)) for row in rows]
    return {one: other for one, other in both if one and other}
