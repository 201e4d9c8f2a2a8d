"""Files that follow from the rest of a set, made anew and compared: ledger and row index."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.dataset.reading import DatasetFolder
from pipeline.dataset.row_index import ROWS, hashed_rows, indexed_shards
from pipeline.dataset.writing import M5SER_VERSION
from pipeline.errors import InputError
from pipeline.provenance.credentials import CREDENTIALS, credentials_text
from pipeline.verify.findings import Findings

_BATCH_ROWS = 4096


def check_credentials(dataset: DatasetFolder, findings: Findings) -> None:
    """`provenance.json` says what follows from recipe, build and rows."""
    with findings.reading("origin", CREDENTIALS):
        found = (dataset.path / CREDENTIALS).read_text(encoding="utf-8")
        try:
            wanted = credentials_text(dataset)
        except (InputError, KeyError):
            return  # the licence: it is reported there
        if found != wanted:
            pairs = zip_longest(found.splitlines(), wanted.splitlines(), fillvalue="nothing")
            lines = enumerate(pairs, 1)
            line, right = next(((at, two) for at, (one, two) in lines if one != two), (0, ""))
            findings.report(
                "origin",
                f"{CREDENTIALS}, line {line}",
                f"it is not what recipe, build and rows give (by m5ser {M5SER_VERSION}): "
                f"'{right.strip()}'",
            )
    findings.checks["origin"] = f"{CREDENTIALS} written anew and compared"


def check_row_index(folder: Path, findings: Findings) -> None:
    """`rows.parquet` has every kept row, in their order, with its hash."""
    wrong, first, rows = 0, "", 0
    with findings.reading("index", ROWS):
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
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            yield from batch.to_pylist()


def _found(folder: Path) -> Iterator[dict[str, Any]]:
    for shard in indexed_shards(folder):
        # One by one: rows that share an entry of a dictionary unpack to many times their group.
        for batch in hashed_rows(shard, 1):
            yield from batch.to_pylist()


def _place(stated: dict[str, Any] | None, found: dict[str, Any] | None) -> str:
    """The take that the index or the data has there."""
    return str((found or stated or {}).get("take_id"))
