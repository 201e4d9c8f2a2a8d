"""Files that follow from the rest of a set, made anew and compared: ledger and row index."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.credentials import credentials_text
from pipeline.dataset.layout import CREDENTIALS, ROWS
from pipeline.dataset.reading import DatasetFolder
from pipeline.dataset.row_index import hashed_rows, indexed_shards
from pipeline.engine import M5SER_VERSION
from pipeline.errors import InputError
from pipeline.verify.findings import Findings
from pipeline.verify.shards import schema_fault

_INDEX = pa.schema({"take_id": pa.string(), "language": pa.string(), "sha256": pa.binary(32)})
_SHOWN = 80


def check_text(check: str, name: str, texts: tuple[str, str], of: str, findings: Findings) -> None:
    """Report the first line in which a text is not what it should be.

    `texts`: as it was found, and as it should be; `of`: what gives it.
    """
    found, wanted = texts
    if found != wanted:
        line, right = _first_difference(found, wanted)
        findings.report(
            check,
            f"{name}, line {line}",
            f"it is not what {of} (by m5ser {M5SER_VERSION}): {right}",
        )


def _first_difference(found: str, wanted: str) -> tuple[int, str]:
    """The first line in which two texts differ, and what should stand there."""
    pairs = enumerate(zip_longest(found.split("\n"), wanted.split("\n")), 1)
    line, right = next((line, right) for line, (left, right) in pairs if left != right)
    return line, "nothing more" if right is None else f"'{right.strip()[:_SHOWN]}'"


def check_credentials(dataset: DatasetFolder, findings: Findings) -> None:
    """`provenance.json` says what follows from recipe, build and rows."""
    with findings.reading("origin", CREDENTIALS):
        found = (dataset.path / CREDENTIALS).read_text(encoding="utf-8")
        try:
            wanted = credentials_text(dataset)
        except (InputError, LookupError, ValueError) as wrong:
            findings.report("origin", CREDENTIALS, f"it can't be made anew: {wrong!r}")
            return
        check_text("origin", CREDENTIALS, (found, wanted), "recipe, build and rows give", findings)
    findings.checks["origin"] = f"{CREDENTIALS} written anew and compared"


def check_row_index(folder: Path, findings: Findings) -> None:
    """`rows.parquet` has every kept row, in their order, with its hash."""
    wrong, first, rows = 0, "", 0
    with findings.reading("index", ROWS):
        if fault := schema_fault(folder / ROWS, _INDEX):
            findings.report("index", ROWS, fault)
            return
        try:
            for stated, found in zip_longest(_stated(folder), _found(folder)):
                rows += 1
                wrong += stated != found
                first = first or (_place(stated, found) if stated != found else "")
        except (KeyError, TypeError) as error:
            findings.report("index", ROWS, f"it can't be held against the rows: {error!r}")
            return
        if wrong:
            what = f"it is not what the data gives in {wrong} rows, first of {first}"
            findings.report("index", ROWS, what)
    findings.checks["index"] = f"{rows} rows hashed"


def _stated(folder: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(folder / ROWS) as file:
        # One by one, as the rows below.
        for batch in file.iter_batches(batch_size=1):
            yield from batch.to_pylist()


def _found(folder: Path) -> Iterator[dict[str, Any]]:
    for shard in indexed_shards(folder):
        # One by one: rows that share an entry of a dictionary unpack to many times their group.
        for batch in hashed_rows(shard, 1):
            yield from batch.to_pylist()


def _place(stated: dict[str, Any] | None, found: dict[str, Any] | None) -> str:
    """The take that the index or the data has there."""
    return str((found or stated or {}).get("take_id"))
