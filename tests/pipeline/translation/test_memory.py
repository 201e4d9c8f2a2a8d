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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "en\tde\tde\nNo.\tNein.\tNö.\n",
            "column 'de' in its first line more than once",
        ),
        (
            "en\t DE\nNo.\tNein.\n",
            "column ' DE' in its first line: call it 'de', or",
        ),
        (
            "en\tde\n\nNo.\tNein,\tnein.\n",
            "line 3 has more cells than the first line",
        ),
    ],
)
def test_what_would_be_read_in_part_or_not_at_all_is_refused(tmp_path, content, said):
    path = tmp_path / "memory.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_table(str(path), "corrections")


def test_names_of_rows_are_no_indonesian(tmp_path):
    with pytest.raises(InputError, match="has no column 'id'"):
        Memory().need(["id"])
    own = tmp_path / "memory.tsv"
    own.write_text("ID\ten\tde\t\n1\tNo.\tNein.\t\t\n", encoding="utf-8")
    assert len(read_table(str(own), "corrections", ["de"])) == 1


def test_a_language_without_a_column_is_named_before_anything_is_done(table):
    memory = Memory(path=str(table))
    memory.need(["en", "de"])
    with pytest.raises(InputError, match=r"has no column 'fr' and no column 'pl' .*`languages`"):
        memory.need(["en", "de", "fr", "pl"])


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0c", "\x1e"])
def test_a_sign_that_python_takes_for_the_end_of_a_line_does_not_cut_a_sentence(tmp_path, sign):
    (tmp_path / "memory.tsv").write_text(f"en\tde\nI go.\tIch gehe{sign}weg.\n", encoding="utf-8")
    translate = Memory(path=str(tmp_path / "memory.tsv")).load()
    assert translate([Sentence("I go.", "sad")], "en", "de") == [Translation(f"Ich gehe{sign}weg.")]


def test_decomposed_letters_are_found_and_become_one(tmp_path):
    text = "en\tfr\nThe cafe\u0301.\tLe cafe\u0301.\n"
    (tmp_path / "memory.tsv").write_text(text, encoding="utf-8")
    translate = Memory(path=str(tmp_path / "memory.tsv")).load()
    assert translate([Sentence("The caf\u00e9.", "sad")], "en", "fr") == [
        Translation("Le caf\u00e9.")
    ]


def test_a_table_in_another_encoding_or_with_a_cell_without_end_is_a_sentence(tmp_path):
    path = tmp_path / "memory.tsv"
    path.write_bytes("en\tde\nThe end.\tGanz schön.\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"translation.path: .* is not UTF-8 .*: save it as UTF-8"):
        Memory(path=str(path)).load()
    path.write_text("en\tde\nNo.\t" + "n" * 200_000, encoding="utf-8")
    with pytest.raises(InputError, match=r"translation.path: .*line 2: field larger"):
        Memory(path=str(path)).load()
