"""A part of clips on its way to disk: what is written survives whatever ends the process.

`items` grows by a batch's bytes, and then a journal by the line that describes them. Who comes next
cuts off what a dead process had begun and goes on behind its last whole batch. The system takes the
lock from a process that dies, so one at a time writes and none has to be waited for in vain.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

ITEMS, TABLE = "items", "rows.parquet"
_JOURNAL = "rows.jsonl"
_ROW_GROUP = 8192
"""Rows at the least; a reader needs several kilobytes for each group, however small."""
_SCHEMA = pa.schema(
    {
        **dict.fromkeys(("name", "source", "label", "language", "speaker"), pa.string()),
        "synthetic": pa.bool_(),
        "start": pa.int64(),
        "size": pa.int64(),
        "unusable": pa.string(),
    }
)


@dataclass(frozen=True)
class Draft:
    """An unfinished part: its `items`, open at their end, and how many `rows` it has already."""

    place: Path
    items: BinaryIO
    rows: int

    def keep(self, batch: Sequence[dict[str, Any]]) -> None:
        """Keep a batch for good: its rows, whose items have been written."""
        self.items.flush()
        with (self.place / _JOURNAL).open("a", encoding="ascii") as journal:
            journal.write(json.dumps(batch) + "\n")

    def finish(self) -> None:
        """Make the table of all rows, whose being there says that the part is whole."""
        unnamed = self.place / f"{TABLE}.tmp"
        journal = self.place / _JOURNAL
        with (
            journal.open(encoding="ascii") as batches,
            pq.ParquetWriter(unnamed, _SCHEMA, compression="zstd") as table,
        ):
            held: list[dict[str, Any]] = []
            for batch in batches:
                held += json.loads(batch)
                if len(held) >= _ROW_GROUP:
                    table.write_table(pa.Table.from_pylist(held, schema=_SCHEMA))
                    held = []
            table.write_table(pa.Table.from_pylist(held, schema=_SCHEMA))
        unnamed.rename(self.place / TABLE)
        journal.unlink()


@contextmanager
def unfinished(place: Path, wait: bool) -> Iterator[Draft | None]:
    """The part of a folder as this process may go on with it; None where there is nothing to do.

    Then it is whole, or another process is writing it; `wait` for that one to finish or to die.

    Raises:
        OSError: the folder can't be written to.
    """
    place.mkdir(parents=True, exist_ok=True)
    with (place / ITEMS).open("ab") as items:
        try:
            fcntl.flock(items, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield None if (place / TABLE).is_file() else Draft(place, items, _whole_rows(place, items))


def _whole_rows(place: Path, items: BinaryIO) -> int:
    """How many rows are written whole; what lies behind them is cut off."""
    journal = place / _JOURNAL
    journal.touch()
    rows = items_end = journal_end = 0
    there = os.fstat(items.fileno()).st_size
    with journal.open("rb") as lines:
        for line in lines:
            batch = json.loads(line) if line.endswith(b"\n") else []
            if not batch or batch[-1]["start"] + batch[-1]["size"] > there:
                break
            rows += len(batch)
            items_end = batch[-1]["start"] + batch[-1]["size"]
            journal_end += len(line)
    os.truncate(journal, journal_end)
    items.truncate(items_end)
    items.seek(items_end)
    return rows
