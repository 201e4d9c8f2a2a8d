"""Translations that people wrote."""

from __future__ import annotations

import pytest

from pipeline.errors import InputError
from pipeline.records import Failure
from pipeline.translation.base import Sentence, Translation
from pipeline.translation.memory import Memory
from pipeline.translation.table import pairs, read_table


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "memory.tsv"
    path.write_text("en\tde\tnote\nNo.\tNein.\tshort\nYes.\t\t\n", encoding="utf-8")
    return path


def test_a_sentence_that_is_there_is_found_whatever_surrounds_it(table):
    translate = Memory(path=str(table)).load()
    answers = translate([Sentence(" No. ", "angry"), Sentence("Yes.", "happy")], "en", "de")
    assert answers[0] == Translation("Nein.")
    assert answers[1] == Failure("translate", "the memory has no de translation of: Yes.")


def test_it_can_be_asked_the_other_way(table):
    assert Memory(path=str(table)).load()([Sentence("Nein.", "sad")], "de", "en") == [
        Translation("No.")
    ]


@pytest.mark.parametrize("language", ["de", "fr", "it", "es", "zh"])
def test_the_built_in_table_has_every_language(language):
    rows = read_table("builtin:quickstart", "translation.path")
    assert len(pairs(rows, "en", language)) == len(rows)


def test_a_corrected_line_is_another_fingerprint_and_another_place_is_not(table, tmp_path):
    before = Memory(path=str(table)).fingerprint()
    moved = tmp_path / "moved.tsv"
    moved.write_bytes(table.read_bytes())
    assert Memory(path=str(moved)).fingerprint() == before
    moved.write_text("en\tde\nNo.\tNö.\n", encoding="utf-8")
    assert Memory(path=str(moved)).fingerprint() != before


def test_a_missing_file_and_a_missing_column_are_named(tmp_path):
    with pytest.raises(InputError, match=r"translation.path: there is no translation memory"):
        Memory(path=str(tmp_path / "none.tsv")).load()
    (tmp_path / "bad.tsv").write_text("de\tfr\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column 'en'"):
        Memory(path=str(tmp_path / "bad.tsv")).load()
