from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cards.own_section import OWN_END, OWN_START, own_section, with_own_section
from pipeline.hub.own_text import CardEdited, leaves_out, merge_card

CARD = f"""---
license: mit
tags: [x]
---

# Tones

Ten rows.

## From whoever built it

{OWN_START}

*Nothing is written here yet. Only you know.*

{OWN_END}

## Citation

None.
"""
EMPTY = "*Nothing is written here yet. Only you know.*"
NEWER = CARD.replace("Ten rows", "Twelve rows")


def test_the_first_card_is_ours() -> None:
    assert merge_card(CARD, None, None) == CARD


def test_a_card_that_nobody_touched_is_replaced() -> None:
    assert merge_card(NEWER, CARD, CARD) == NEWER
    assert merge_card(CARD, CARD, CARD) == CARD


def test_the_own_section_is_kept_byte_by_byte() -> None:
    edited = CARD.replace(EMPTY, "  Ask *Ada*.\n\n> two  spaces")
    merged = merge_card(NEWER, CARD, edited)
    assert own_section(merged) == own_section(edited)
    assert "Twelve rows" in merged
    assert merge_card(NEWER, CARD, merged) == merged


def test_what_its_owner_wrote_in_the_folder_takes_the_place_of_nothing() -> None:
    filled = NEWER.replace(EMPTY, "Ask Ada.")
    assert merge_card(filled, CARD, CARD) == filled
    assert not leaves_out(filled, filled)
    between = CARD.replace("Ten rows.\n", "Ten rows.\n\n## Notes\n\nMine.\n")
    merged = own_section(merge_card(filled, CARD, between)) or ""
    assert merged.split() == ["Ask", "Ada.", "##", "Notes", "Mine."]


def test_what_was_written_on_the_hub_stands_and_that_is_told() -> None:
    filled, theirs = CARD.replace(EMPTY, "Ask Ada."), CARD.replace(EMPTY, "Ask Ben.")
    assert merge_card(filled, theirs, theirs) == theirs
    assert leaves_out(filled, theirs)
    assert not leaves_out(CARD, theirs), "nobody wrote anything in the folder"
    assert not leaves_out("# Model", theirs)


def test_the_empty_section_is_the_one_that_a_card_is_made_with(tones: Path) -> None:
    card = (tones / "README.md").read_text(encoding="utf-8")
    filled = with_own_section(card, "Ask Ada.")
    assert merge_card(filled, card, card) == filled


def test_lines_between_ours_move_to_the_own_section() -> None:
    edited = CARD.replace("Ten rows.\n", "Ten rows.\n\n## Notes\n\nMine.\n")
    merged = merge_card(NEWER, CARD, edited)
    assert "## Notes\n\nMine." in (own_section(merged) or "")
    assert EMPTY in (own_section(merged) or "")
    assert merge_card(NEWER, merged, merged) == merged


@pytest.mark.parametrize(
    "edit",
    [
        ("Ten rows.", "A hundred rows."),
        ("Ten rows.\n", ""),
        ("license: mit", "license: cc0-1.0"),
        ("tags: [x]\n", "tags: [x]\ngated: true\n"),
        (OWN_END, ""),
    ],
)
def test_a_line_of_ours_that_was_changed_is_never_overwritten(edit: tuple[str, str]) -> None:
    with pytest.raises(CardEdited, match=r"README\.md was changed by hand on the Hub, at the line"):
        merge_card(NEWER, CARD, CARD.replace(*edit))


def test_what_a_hand_made_repository_says_is_kept() -> None:
    merged = merge_card(CARD, None, "---\nlicense: other\n---\n\nHello.\n")
    assert (own_section(merged) or "").strip() == "Hello."
    assert "license: other" not in merged


def test_a_card_without_the_section_gets_one_when_it_is_needed() -> None:
    plain = "# Model\n"
    assert merge_card(plain, plain, plain) == plain
    merged = merge_card(plain, plain, "# Model\n\nMine.\n")
    assert (own_section(merged) or "").strip() == "Mine."
    assert merge_card("# Model 2\n", merged, merged).startswith("# Model 2\n")
