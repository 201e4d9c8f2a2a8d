"""The rows of a table that a person has written: CSV, TSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError

_LONGEST_LINE = 100_000
"""Characters of a line, so that a file without line ends can't fill the memory."""

Listed = Mapping[str, Any] | str
"""A row by its columns, or the reason why it is none."""


class BadListing(InputError):
    """A table that can't be read as a whole, and what would make it readable."""


def read_listing(path: Path, columns: Collection[str], required: Sequence[str]) -> Iterator[Listed]:
    """The rows in the order of the file, with those of its columns that are in `columns`.

    Raises:
        BadListing: the ending names no format; it is not what its ending says; it is not UTF-8;
            or a column of `required` is missing altogether.
    """
    try:
        match path.suffix.lower():
            case ".csv":
                yield from _delimited(path, ",", required)
            case ".tsv":
                yield from _delimited(path, "\t", required)
            case ".jsonl":
                yield from _json_lines(path)
            case ".parquet":
                yield from _parquet(path, columns, required)
            case suffix:
                raise BadListing(
                    f"corpus.path: '{path.name}' ends in '{suffix}': "
                    "a manifest is .csv, .tsv, .jsonl or .parquet"
                )
    except UnicodeDecodeError as error:
        raise BadListing(
            f"corpus.path: '{path.name}' is not UTF-8 ({error.reason}): save it as UTF-8"
        ) from error


def _delimited(path: Path, delimiter: str, required: Sequence[str]) -> Iterator[Listed]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = iter(lambda: _line(path, file), "")
        # Without `strict` a quote that nobody closes swallows the rest of the file.
        rows = csv.DictReader(lines, delimiter=delimiter, strict=True)
        try:
            names = rows.fieldnames or ()
            _require(path, names, required)
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


def _require(path: Path, names: Sequence[str], required: Sequence[str]) -> None:
    missing = [name for name in required if name not in names]
    if missing:
        wrong = len(names) == 1 and any(mark in names[0] for mark in ",;\t")
        fix = ": put commas between them, or tabs in a .tsv" if wrong else ""
        raise BadListing(
            f"corpus.path: '{path.name}' has no column {', '.join(missing)}; "
            f"its columns are {', '.join(map(repr, names)) or 'none'}{fix}"
        )


def _json_lines(path: Path) -> Iterator[Listed]:
    with path.open(encoding="utf-8-sig") as file:
        while line := _line(path, file):
            if line.strip():
                yield _parse(line)


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


def _parquet(path: Path, columns: Collection[str], required: Sequence[str]) -> Iterator[Listed]:
    try:
        with pq.ParquetFile(path) as table:
            names = table.schema_arrow.names
            _require(path, names, required)
            known = [name for name in names if name in columns]
            for batch in table.iter_batches(batch_size=256, columns=known):
                yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise BadListing(f"corpus.path: '{path.name}' can't be read as Parquet: {error}") from error
