"""What the tables of a card say of the voices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.cards import tables
from pipeline.cards.card import render_card

Rows = list[dict[str, Any]]
Make = Callable[..., Path]


def voices_of(card: str) -> str:
    """What stands of the voices in a card."""
    return card.split("\nVoices (")[1].split("`source_id` joins")[0]


def test_it_is_said_that_every_voice_kept_something(dataset_folder: Path) -> None:
    told = voices_of(render_card(dataset_folder))
    assert told.startswith("the same in every language):")
    assert "Voices that kept nothing: 0 of 2 that were judged." in told


def test_voices_that_kept_nothing_are_counted_also_where_the_table_ends_before_them(
    make_dataset_folder: Make, rejected_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many keep something as the table shows."""
    monkeypatch.setattr(tables, "VOICES", 2)
    for place, row in enumerate(rejected_rows):
        row["voice"] = f"wiped-{place % 3}"
    told = voices_of(render_card(make_dataset_folder(rejected=rejected_rows)))
    assert told.startswith("the same in every language; the 2 most used):")
    assert "wiped" not in told
    assert "Voices that kept nothing: 3 of 5 that were judged." in told


def test_of_a_part_nothing_is_said_of_voices_that_kept_nothing(make_dataset_folder: Make) -> None:
    part = {"repository": "org/set", "revision": "abc"}
    told = voices_of(render_card(make_dataset_folder(rejected=[], build={"part": part})))
    assert "kept nothing" not in told
