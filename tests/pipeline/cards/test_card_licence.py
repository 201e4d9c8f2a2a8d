"""What a card says of rights: the licence, the claim, and what the speakers agreed to."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.cards.card import write_card
from pipeline.provenance.terms import LicenceError
from tests.pipeline.cards.reading import Make, card_of, header_of


def test_a_set_that_may_not_be_shared_says_so_first(make_dataset_folder: Make) -> None:
    card = card_of(make_dataset_folder(recipe={"corpus": {"engine": "meld"}}))
    header = header_of(card)
    assert (header["license"], header["license_name"]) == ("other", "no-redistribution")
    assert "**This set may not be shared.**" in card
    assert "television series" in card


def test_a_laxer_claim_writes_no_card(make_dataset_folder: Make) -> None:
    folder = make_dataset_folder(recipe={"licence": "MIT"})
    with pytest.raises(LicenceError, match=r"Apache-2\.0"):
        write_card(folder)
    assert not (folder / "README.md").exists()


def test_a_stricter_claim_stands(make_dataset_folder: Make) -> None:
    folder = make_dataset_folder(recipe={"licence": "CC-BY-NC-4.0"})
    assert header_of(card_of(folder))["license"] == "cc-by-nc-4.0"


def test_it_says_whose_texts_are_withheld(
    make_dataset_folder: Make, kept_rows: list[dict[str, Any]]
) -> None:
    assert "Withheld" not in card_of(make_dataset_folder("all"))
    for row in kept_rows[:3]:
        row.update(text=None, source_text=None)
    card = card_of(make_dataset_folder("some", kept=kept_rows))
    assert "**Withheld:** 3 takes are of sentences that may not be passed on" in card


def test_a_licence_that_nobody_has_read_says_so(make_dataset_folder: Make) -> None:
    translation = {"engine": "m2m100", "model": "facebook/m2m100_418M", "revision": "abc"}
    card = card_of(make_dataset_folder(recipe={"translation": translation}))
    link = "[facebook/m2m100&#95;418M](https://huggingface.co/facebook/m2m100_418M) (model)"
    assert "| abc | MIT | *not verified* | yes |" in card.replace(link, "")
    assert "**This set may not be shared.**" in card


def test_the_consent_of_the_speakers_is_stated(make_dataset_folder: Make) -> None:
    card = card_of(make_dataset_folder(recipe={"corpus": {"engine": "ravdess"}}))
    assert "ravdess: professional actors" in card
    assert "consent to cloning is not stated" in card
