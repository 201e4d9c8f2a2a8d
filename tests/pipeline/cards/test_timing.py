"""The card's summary of pauses and rates: a weighted mean, and a rank correlation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline.cards.card import render_card
from pipeline.cards.timing import timing_agreement
from pipeline.dataset.reading import open_folder

MEASURED = {
    "de": [(1.0, 1.0, 4.0, 3.0), (0.0, 3.0, 5.0, 4.0), (0.5, 0.0, 6.0, 9.0)],
    "en": [(1.0, 0.0, 4.0, 3.0), (1.0, 0.0, 5.0, 2.0), (1.0, 0.0, math.nan, 1.0)],
}
"""(agreement, seconds of pauses, rate, source's rate) of the first takes; of the rest nothing."""
NAMES = ("pause_agreement", "pause_s", "syllables_per_s", "source_syllables_per_s")


def add_scores(folder: Path) -> None:
    """Give every take these four scores."""
    for language, measured in MEASURED.items():
        rows: Iterator[tuple[float, ...]] = iter(measured)
        shards = [sorted((folder / part / language).glob("*")) for part in ("data", "rejects")]
        for shard in [*shards[0], *shards[1]]:
            table = pq.read_table(shard)
            scores = table["scores"].combine_chunks()
            added = [next(rows, (math.nan,) * 4) for _ in range(len(table))]
            columns = [pa.array(column, pa.float64()) for column in zip(*added, strict=True)]
            names = [field.name for field in scores.type]
            kept = [pc.struct_field(scores, name) for name in names]
            struct = pa.StructArray.from_arrays([*kept, *columns], [*names, *NAMES])
            place = table.column_names.index("scores")
            pq.write_table(table.set_column(place, "scores", struct), shard)


def test_agreement_is_weighted_by_pauses_and_rates_are_compared_by_rank(
    dataset_folder: Path,
) -> None:
    add_scores(dataset_folder)
    with open_folder(dataset_folder) as dataset:
        table = timing_agreement(dataset)
    assert table is not None
    rows = {row[0]: list(row[1:]) for row in table.rows}
    # (1 * 1 + 0 * 3 + 0.5 * 0) / 4; the order of the rates is the same.
    assert rows["German"] == ["3", "0.25", "1.00"]
    # No pause on any side, and of two takes no correlation is said.
    assert rows["English"] == ["2", "–", "–"]
    assert "| German | 3 | 0.25 | 1.00 |" in render_card(dataset_folder)


def test_without_the_judge_there_is_no_table(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        assert timing_agreement(dataset) is None
    assert "agreement of pauses" not in render_card(dataset_folder)


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_the_rates_decides(dataset_folder: Path, monkeypatch, order: int) -> None:
    measured = [(1.0, 1.0, float(rate), float(rate * order)) for rate in range(2, 6)]
    monkeypatch.setitem(MEASURED, "de", measured)
    add_scores(dataset_folder)
    with open_folder(dataset_folder) as dataset:
        table = timing_agreement(dataset)
    assert table is not None
    [german] = [row for row in table.rows if row[0] == "German"]
    assert german[3] == f"{order:.2f}"
