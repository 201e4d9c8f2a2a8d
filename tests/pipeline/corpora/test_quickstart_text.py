"""The text of the built-in corpus, checked cell by cell."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

PATH = Path(__file__).parents[3] / "pipeline" / "corpora" / "quickstart.tsv"
EMOTIONS = ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
SPEAKERS = (
    *("anna", "bela", "carla", "dora", "greta", "ida", "lena"),
    *("emil", "felix", "georg", "hugo", "ivan", "jonas"),
)
ALLOWED = {
    "en": r"[A-Za-z ,.!?']+",
    "de": r"[A-Za-zÄÖÜäöüß ,.!?']+",
    "fr": r"[A-Za-zÀÂÇÈÉÊÎÔÙÛàâçèéêëîïôùûœ ,.!?'-]+",
    "it": r"[A-Za-zÀÈÉÌÒÙàèéìòù ,.!?']+",
    "es": r"[A-Za-zÁÉÍÑÓÚáéíñóúü ,.!?¡¿]+",
    "zh": r"[\u4e00-\u9fff，。！？]+",
}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with PATH.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def words(sentence: str) -> list[str]:
    return re.findall(r"[a-z']+", sentence.lower())


def test_has_the_columns_and_no_ragged_row() -> None:
    lines = PATH.read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == ["name", "emotion", "speaker", *ALLOWED]
    assert {len(line.split("\t")) for line in lines} == {3 + len(ALLOWED)}


def test_has_thirteen_sentences_of_every_emotion(rows: list[dict[str, str]]) -> None:
    assert Counter(row["emotion"] for row in rows) == dict.fromkeys(EMOTIONS, 13)


def test_ids_count_up_within_their_emotion(rows: list[dict[str, str]]) -> None:
    for emotion in EMOTIONS:
        ids = [row["name"] for row in rows if row["emotion"] == emotion]
        assert ids == [f"qs-{emotion}-{number:02d}" for number in range(1, 14)]


def test_every_speaker_speaks_every_emotion_once(rows: list[dict[str, str]]) -> None:
    counts = Counter((row["speaker"], row["emotion"]) for row in rows)
    assert counts == {(speaker, emotion): 1 for speaker in SPEAKERS for emotion in EMOTIONS}


@pytest.mark.parametrize(("column", "values"), [("speaker", SPEAKERS), ("emotion", EMOTIONS)])
def test_the_order_is_a_rotation(
    rows: list[dict[str, str]], column: str, values: tuple[str, ...]
) -> None:
    """So a build cut short after n rows is still balanced."""
    for at in range(len(rows) - len(values) + 1):
        assert {row[column] for row in rows[at : at + len(values)]} == set(values)


@pytest.mark.parametrize("language", ALLOWED)
def test_no_sentence_occurs_twice(rows: list[dict[str, str]], language: str) -> None:
    counts = Counter(row[language].casefold() for row in rows)
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("language", ALLOWED)
def test_holds_only_letters_and_plain_punctuation(
    rows: list[dict[str, str]], language: str
) -> None:
    pattern = re.compile(ALLOWED[language])
    assert [row[language] for row in rows if not pattern.fullmatch(row[language])] == []


@pytest.mark.parametrize("language", ALLOWED)
def test_every_sentence_is_closed_and_evenly_spaced(
    rows: list[dict[str, str]], language: str
) -> None:
    """No space at either end, none doubled, none before punctuation."""
    closed = re.compile(r"(?!.*(?:  | [,.!?]))\S.*[.!?。！？]")
    assert [row[language] for row in rows if not closed.fullmatch(row[language])] == []


def test_spanish_marks_open_before_they_close(rows: list[dict[str, str]]) -> None:
    for row in rows:
        marks = re.findall(r"[¡!¿?]", row["es"])
        assert "".join(marks) in {"", "¡!", "¿?", "¿?¡!"}, row["name"]


def test_english_sentences_have_four_to_fourteen_words(rows: list[dict[str, str]]) -> None:
    assert [row["name"] for row in rows if not 4 <= len(words(row["en"])) <= 14] == []


def test_no_two_english_sentences_share_four_words_in_a_row(rows: list[dict[str, str]]) -> None:
    first: dict[tuple[str, ...], str] = {}
    for row in rows:
        spoken = words(row["en"])
        for at in range(len(spoken) - 3):
            assert first.setdefault(tuple(spoken[at : at + 4]), row["name"]) == row["name"]
