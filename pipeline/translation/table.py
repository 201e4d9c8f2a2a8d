"""Tables of what people have translated: TSV files with a header of language codes."""

from __future__ import annotations

import csv
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pipeline.errors import InputError
from pipeline.languages import SOURCE, Language

_BUILTIN = "builtin:"
_LARGEST_BYTES = 256 * 1024 * 1024

Rows = list[dict[str, str]]


def table_text(path: str, field: str) -> str:
    """The text of a table, from the package for a `builtin:` name; `field` is the recipe's.

    Raises:
        InputError: the file is missing or too large.
    """
    table: Traversable = Path(path)
    if path.startswith(_BUILTIN):
        table = files("pipeline.corpora").joinpath(f"{path.removeprefix(_BUILTIN)}.tsv")
    if not table.is_file():
        raise InputError(f"{field}: there is no translation memory '{path}'")
    if isinstance(table, Path) and table.stat().st_size > _LARGEST_BYTES:
        raise InputError(f"{field}: '{path}' is larger than {_LARGEST_BYTES >> 20} MiB")
    return table.read_text(encoding="utf-8-sig")


def read_table(path: str, field: str) -> Rows:
    """The rows of a table; columns that are no language of ours are left in.

    Raises:
        InputError: as `table_text`, or the table has no English column.
    """
    lines = table_text(path, field).splitlines()
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    if SOURCE not in (reader.fieldnames or ()):
        raise InputError(f"{field}: '{path}' has no column '{SOURCE}' in its first line")
    return list(reader)


def pairs(rows: Rows, source: Language, target: Language) -> dict[str, str]:
    """What the rows say in one language, by what they say in another; the last of equals counts."""
    both = [((row.get(source) or "").strip(), (row.get(target) or "").strip()) for row in rows]
    return {one: other for one, other in both if one and other}
