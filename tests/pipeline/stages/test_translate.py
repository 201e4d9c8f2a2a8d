"""A batch of texts becomes lines: English as it is, corrections first, the engine for the rest."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from pipeline import tables
from pipeline.errors import InputError
from pipeline.stages import translate
from pipeline.stages.translate import Text, corrected
from pipeline.store import Store
from pipeline.translation.base import Translation
from pipeline.translation.memory import Memory

TEXTS = (Text("a", "No.", "angry"), Text("b", "Yes.", "happy"), Text("c", "Who?", "sad"))


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    path = tmp_path / "memory.tsv"
    path.write_text("en\tde\nNo.\tNein.\nYes.\tJa.\n", encoding="utf-8")
    return Memory(path=str(path))


@pytest.fixture
def lines(tmp_path: Path, memory: Memory):
    """The rows that the stage writes, by utterance id."""
    store = Store(str(tmp_path / "work"))

    def run(texts=TEXTS, language="de"):
        key = translate.key(memory.fingerprints(), language, texts)
        tally = translate.run(store, key, memory, language, texts)
        rows = {row["source_id"]: row for row in store.read("lines", key).to_pylist()}
        assert tally.failed == sum(row["error"] is not None for row in rows.values())
        return rows

    return run


def test_every_text_gets_a_row_with_its_line_or_its_error(lines):
    rows = lines()
    assert [rows[id]["text"] for id in "abc"] == ["Nein.", "Ja.", None]
    assert "no de translation of: Who?" in rows["c"]["error"]
    assert {row["translator"] for row in rows.values()} == {"memory"}


def test_what_an_engine_writes_apart_is_composed(tmp_path: Path):
    class Apart(Memory):
        def load(self):
            return lambda sentences, source, target: [Translation("scho\u0308n") for _ in sentences]

    store, engine = Store(str(tmp_path / "work")), Apart()
    key = translate.key(engine.fingerprints(), "de", TEXTS)
    translate.run(store, key, engine, "de", TEXTS)
    assert {row["text"] for row in store.read("lines", key).to_pylist()} == {"sch\u00f6n"}


@pytest.mark.parametrize(
    ("written", "error"),
    [("Ja\x1b[31m!", "U+001B"), ("…!", "has no letter"), (" ", "is empty"), ("J\ufffd", "U+FFFD")],
)
def test_what_nobody_can_speak_fails_as_it_does_at_the_door(lines, memory, written, error):
    Path(memory.path).write_text(f"en\tde\nNo.\tNein.\nWho?\t{written}\n", encoding="utf-8")
    rows = lines()
    assert error in rows["c"]["error"] or not written.strip()
    assert (rows["a"]["text"], rows["c"]["text"]) == ("Nein.", None)


def test_a_correction_goes_before_the_engine_and_says_so(lines):
    rows = lines(corrected(TEXTS, [{"en": "Yes.", "de": "Jawohl!"}], "de"))
    assert (rows["b"]["text"], rows["b"]["translator"]) == ("Jawohl!", "correction")
    assert (rows["a"]["text"], rows["a"]["translator"]) == ("Nein.", "memory")


def test_a_correction_mends_what_the_engine_can_not(lines):
    rows = lines(corrected(TEXTS, [{"en": "Who?", "de": "Wer?"}], "de"))
    assert [rows[id]["text"] for id in "abc"] == ["Nein.", "Ja.", "Wer?"]


def test_english_stays_as_it_is_and_has_no_translator(lines):
    rows = lines(corrected(TEXTS, [{"en": "No.", "de": "Nö."}], "en"), "en")
    assert [rows[id]["text"] for id in "abc"] == ["No.", "Yes.", "Who?"]
    assert {row["translator"] for row in rows.values()} == {None}


def test_a_line_that_came_out_is_read_back_whole(tmp_path, memory):
    store = Store(str(tmp_path / "work"))
    key = translate.key(memory.fingerprints(), "de", TEXTS)
    translate.run(store, key, memory, "de", TEXTS)
    first, _ = tables.lines(store.read("lines", key))
    assert (first.source_id, first.text, first.translator) == ("a", "Nein.", "memory")
    assert first.hit_length_cap is False


def test_only_the_batches_that_a_correction_touches_are_done_again(memory):
    rows = [{"en": "Yes.", "de": "Jawohl!"}]
    touched, other = TEXTS[:2], TEXTS[2:]
    key = partial(translate.key, memory.fingerprints())
    assert key("de", corrected(touched, rows, "de")) != key("de", touched)
    assert key("de", corrected(other, rows, "de")) == key("de", other)
    assert key("fr", corrected(touched, rows, "fr")) == key("fr", touched)


def test_only_the_batches_whose_answers_change_are_done_again(memory):
    def keys():
        key = partial(translate.key, memory.fingerprints())
        mended = corrected(TEXTS, [{"en": "No.", "de": "Nö."}], "de")
        return [key("de", TEXTS[:1]), key("de", TEXTS[1:]), key("de", mended), key("fr", TEXTS)]

    before = keys()
    Path(memory.path).write_text("en\tde\tit\nNo.\tNein!\tNo.\nYes.\tJa.\t\n", encoding="utf-8")
    assert [old == new for old, new in zip(before, keys(), strict=True)] == [
        False,
        True,
        True,
        True,
    ]
    Path(memory.path).write_text("en\tde\nNo.\tNein!\nYes.\tJa.\nWho?\tWer?\n", encoding="utf-8")
    assert keys()[1] != before[1], "what the table lacked is there now"


def test_a_table_that_changes_during_a_build_leaves_nothing_under_the_old_name(
    tmp_path: Path, memory: Memory
) -> None:
    store = Store(str(tmp_path / "work"))
    key = translate.key(memory.fingerprints(), "de", TEXTS)
    Path(memory.path).write_text("en\tde\nNo.\tFALSCH.\n", encoding="utf-8")
    with pytest.raises(InputError, match="has changed since the build began"):
        translate.run(store, key, memory, "de", TEXTS)
    assert not store.has("lines", key)
