"""Lines that were kept, and the voices that the gates took most from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.cards.removed import HardestHit, hardest_hit_voices
from pipeline.cards.yields import Yields, yields
from pipeline.dataset.reading import open_folder

Make = Callable[..., Path]
Rows = list[dict[str, Any]]


def test_a_line_without_a_kept_take_is_a_line_lost(
    make_dataset_folder: Make, kept_rows: Rows
) -> None:
    kept = [row for row in kept_rows if row["take_id"] != "s-sad-1-de-0"]
    with open_folder(make_dataset_folder(kept=kept)) as dataset:
        assert yields(dataset) == Yields(
            lines=28, kept_lines=27, sentences=14, complete_sentences=13
        )


def test_losses_that_are_of_few_voices_are_said_to_be(
    make_dataset_folder: Make, kept_rows: Rows, rejected_rows: Rows
) -> None:
    with open_folder(make_dataset_folder("two")) as dataset:
        assert hardest_hit_voices(dataset) is None  # one of two voices is no minority
    for place, row in enumerate(kept_rows):
        row["voice"] = f"voice-{place % 8}"
    for row in rejected_rows:
        row["voice"] = "voice-3"
    with open_folder(
        make_dataset_folder("eight", kept=kept_rows, rejected=rejected_rows)
    ) as dataset:
        lost = sum(row["reason"] in ("speech", "quality", "emotion") for row in rejected_rows)
        assert hardest_hit_voices(dataset) == HardestHit(["voice-3"], lost, lost)
