"""The rows of a table that a person has written: CSV, TSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError

_LONGEST_LINE = 100_000
"""Characters of a line, so that a file without line ends can't fill the memory."""
_SLIP = 0.85
"""Likeness from which a column's name counts as mistyped (assumed): `licens`, not `part`."""

_HELD = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_null,
)
"""What a column of a Parquet file may hold."""

Listed = Mapping[str, Any] | str
"""A row by its columns, or the reason why it is none."""


class BadListing(InputError):
    """A table that can't be read as a whole, and what would make it readable."""


@dataclass(frozen=True)
class Columns:
    """What a table of ours may hold; others are not read.

    `also`: other names that people give a column, in lower case. A table that has a column only
    under such a name, in another case or misspelt is refused: left unread, it would make another
    set than was meant.
    """

    known: Collection[str]
    required: Sequence[str]
    also: Mapping[str, str]

    def check(self, path: Path, names: Sequence[str], whole: bool = True) -> None:
        """Refuse a table that lacks a column, or has one twice or by another name.

        `whole`: whether these are all of its columns, and not those of one row.

        Raises:
            BadListing: with what to leave out, or the name that it should have.
        """
        twice = sorted({name for name in names if name in self.known and names.count(name) > 1})
        if twice:
            raise BadListing(
                f"corpus.path: '{path.name}' has more than one column {', '.join(twice)}: leave one"
            )
        meant = {name: self._meant(name) for name in names if name not in self.known}
        renamed = {column: name for name, column in meant.items() if column not in {None, *names}}
        missing = [name for name in self.required if name not in names] if whole else []
        if not missing and not renamed:
            return
        wrong = len(names) == 1 and any(mark in names[0] for mark in ",;\t")
        fixes = ["put commas between them, or tabs in a .tsv"] if wrong else []
        fixes += [f"call '{name}' {column}" for column, name in renamed.items()]
        lacks = f"has no column {', '.join(missing)}" if missing else "has columns by other names"
        raise BadListing(
            f"corpus.path: '{path.name}' {lacks}; its columns are "
            f"{', '.join(map(repr, names)) or 'none'}{': ' if fixes else ''}{'; '.join(fixes)}"
        )

    def _meant(self, name: str) -> str | None:
        word = name.strip().lower()
        if word in self.known:
            return word
        close = get_close_matches(word, self.known, n=1, cutoff=_SLIP) if len(word) > 3 else []
        return self.also.get(word) or next(iter(close), None)


def read_listing(path: Path, columns: Columns) -> Iterator[Listed]:
    """The rows in the order of the file; of Parquet the known columns alone.

    Raises:
        BadListing: the ending names no format; it is not what its ending says; it is not UTF-8;
            or its columns are not those that are wanted.
    """
    try:
        match path.suffix.lower():
            case ".csv":
                yield from _delimited(path, ",", columns)
            case ".tsv":
                yield from _delimited(path, "\t", columns)
            case ".jsonl":
                yield from _json_lines(path, columns)
            case ".parquet":
                yield from _parquet(path, columns)
            case suffix:
                raise BadListing(
                    f"corpus.path: '{path.name}' ends in '{suffix}': "
                    "a manifest is .csv, .tsv, .jsonl or .parquet"
                )
    except UnicodeDecodeError as error:
        raise BadListing(
            f"corpus.path: '{path.name}' is not UTF-8 ({error.reason}): save it as UTF-8"
        ) from error


def _delimited(path: Path, delimiter: str, columns: Columns) -> Iterator[Listed]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = iter(lambda: _line(path, file), "")
        # Without `strict` a quote that nobody closes swallows the rest of the file.
        rows = csv.DictReader(lines, delimiter=delimiter, strict=True)
        try:
            names = rows.fieldnames or ()
            columns.check(path, names)
            for row in rows:
                yield _fields(row, len(names))
        except csv.Error as error:
            raise BadListing(
                f"corpus.path: '{path.name}', line {rows.line_num + 1}: {error}: a field that "
                "opens with a quote ends with one, and quotes within it are doubled"
            ) from error


def _fields(row: dict[str | None, Any], columns: int) -> Listed:
    """A row's fields that are not empty; more fields than columns would stand in wrong ones."""
    surplus = row.pop(None, None)
    if surplus:
        return (
            f"has {columns + len(surplus)} fields, and the first line {columns}: "
            'put a text that holds the separator into "quotes"'
        )
    return {name: value for name, value in row.items() if name and value not in ("", None)}


def _json_lines(path: Path, columns: Columns) -> Iterator[Listed]:
    """Each name is looked at where it first comes: JSON has no line of columns."""
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig") as file:
        while line := _line(path, file):
            if not line.strip():
                continue
            row = _parse(line)
            if not isinstance(row, str) and not seen.issuperset(row):
                columns.check(path, list(row), whole=False)
                seen |= row.keys()
            yield row


def _line(path: Path, file: TextIO) -> str:
    """The next line with its end; empty behind the last."""
    line = file.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise BadListing(
            f"corpus.path: '{path.name}': a line has over {_LONGEST_LINE} characters; a list has "
            "one row on each line"
        )
    return line


def _parse(line: str) -> Listed:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {error}"
    return row if isinstance(row, dict) else "is not a JSON object"


def _parquet(path: Path, columns: Columns) -> Iterator[Listed]:
    try:
        with pq.ParquetFile(path) as table:
            names = table.schema_arrow.names
            columns.check(path, names)
            known = [name for name in names if name in columns.known]
            _check_types(path, [table.schema_arrow.field(name) for name in known])
            for batch in table.iter_batches(batch_size=256, columns=known):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the system; damage has no number
        raise BadListing(f"corpus.path: '{path.name}' can't be read as Parquet: {error}") from error


def _check_types(path: Path, columns: Sequence[pa.Field]) -> None:
    """Refuse values that no other kind of list can hold; a date may be one that Python has not."""
    for column in columns:
        coded = pa.types.is_dictionary(column.type)  # as pandas writes categories
        values = column.type.value_type if coded else column.type
        if not any(holds(values) for holds in _HELD):
            raise BadListing(
                f"corpus.path: '{path.name}': its column '{column.name}' holds {column.type}: "
                "write text into it, or numbers"
            )
