"""What a dataset folder gives away: nothing of the machine, and no text of others."""

import csv
import socket
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import soundfile

from pipeline.judges.agreement import agreement, normaliser
from pipeline.provenance.flac import comments_of
from tests.flows.buzz import RATE, voice

LISTENER = {"engine": "whisper", "model": "small-espeak", "window": "short"}
SECRETS = {
    "HF_TOKEN": "hf_AbCdEfGhIjKlMnOpQrStUvWxYz",
    "USER": "jane-of-the-test",
    "LOGNAME": "jane-of-the-test",
    "HOSTNAME": "host-of-the-test",
}


def published(folder):
    """Every file's bytes, and for Parquet the rows too, since their pages are packed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
        if path.suffix == ".parquet":
            yield path.name, str(pq.read_table(path).to_pylist()).encode()


def found(folder, needles):
    """(file, needle) of each needle that is in a published byte."""
    return [
        (name, needle)
        for name, content in published(folder)
        for needle in needles
        if needle.encode() in content
    ]


def rows_of(folder, part):
    return [row for path in folder.glob(f"{part}/*/*.parquet") for row in _rows(path)]


def _rows(path):
    return pq.read_table(path).to_pylist()


def test_nothing_of_the_machine_is_published(workbench, monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for name in ("whole", "cut"):
        soundfile.write(workbench.folder / f"{name}.wav", voice(), RATE)
    whole = (workbench.folder / "cut.wav").read_bytes()
    (workbench.folder / "cut.wav").write_bytes(whole[:-9000])
    base = workbench.rows[0]
    workbench.rows += [
        {**base, "id": "whole", "path": "whole.wav"},
        {**base, "id": "cut", "path": "cut.wav"},
        {**base, "id": "gone", "path": "gone.wav"},
        {**base, "id": "untold", "text": "Nobody translated this."},
    ]
    result = workbench.build("--set", "prosody.from=source", code=1)
    assert result["failed"] == 3
    places = [workbench.folder, workbench.folder.parent, Path.home(), Path.cwd()]
    needles = [*(f"{place}/" for place in places), *SECRETS.values()]
    if len(socket.gethostname()) > 5:  # a shorter one may be part of any word
        needles.append(socket.gethostname())
    assert found(workbench.out, needles) == []
    assert found(workbench.out, ["list.jsonl", "memory.tsv"]), "the recipe still names the files"


def test_every_clip_says_that_it_is_synthetic(workbench):
    workbench.build()
    rows = rows_of(workbench.out, "data") + rows_of(workbench.out, "rejects")
    assert len(rows) == 16
    prints = set()
    for row in rows:
        assert row["is_synthetic"] is True
        marks = comments_of(row["audio"]["bytes"])
        assert marks["TAKE_ID"] == row["take_id"]
        assert marks["GENERATOR"].startswith("m5ser ")
        assert marks["DIGITAL_SOURCE_TYPE"].endswith("/algorithmicMedia")
        prints.add(marks["CLIP_FINGERPRINT"])
    assert len(prints) == 1
    assert {name for name, _ in found(workbench.out, prints)} >= {
        "MANIFEST.json",
        "provenance.json",
    }


def test_other_gates_leave_the_bytes_of_a_clip_alone(workbench):
    def clips():
        rows = rows_of(workbench.out, "data") + rows_of(workbench.out, "rejects")
        return {row["take_id"]: row["audio"]["bytes"] for row in rows}

    workbench.build()
    before = clips()
    workbench.build("--set", "gates.length.min=0.5", "--set", "splits.seed=3")
    assert clips() == before


def test_rows_say_what_was_heard_in_words(workbench):
    workbench.recipe["judges"].append(LISTENER)
    workbench.build()
    rows = rows_of(workbench.out, "data") + rows_of(workbench.out, "rejects")
    assert len(rows) == 16
    for row in rows:
        normalise = normaliser(row["language"], "letters")
        compared = agreement(row["text"], row["transcript"], row["language"], normalise)
        assert compared == {name: row["scores"][name] for name in compared}
    report = (workbench.out / "report.html").read_text(encoding="utf-8")
    assert sum(f">{row['transcript']}</span>" in report for row in rows) > 8


def test_without_a_listener_there_is_no_transcript(workbench):
    workbench.build()
    assert {row["transcript"] for row in rows_of(workbench.out, "data")} == {None}
    card = (workbench.out / "README.md").read_text(encoding="utf-8")
    assert "empty where it heard nobody speak, as here, where none listened |" in card
    assert "heard: <span" not in (workbench.out / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def series(workbench):
    """A workbench whose sentences are of a television series."""
    texts = [row["text"] for row in workbench.rows]
    columns = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")
    labels = ("anger", "joy", "neutral", "sadness")
    with (workbench.folder / "series.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        said = [*texts, "A line that nobody has translated."]
        for number, (text, label) in enumerate(zip(said, [*labels, "joy"], strict=True)):
            table.writerow([text, "Ross" if number % 2 else "Monica", label, number, 0])
    path = str(workbench.folder / "series.csv")
    workbench.recipe["corpus"] = {"engine": "meld", "path": path}
    return workbench


def test_text_that_may_not_be_passed_on_is_an_id_and_nothing_else(series):
    series.recipe["judges"].append(LISTENER)
    result = series.build(code=1)
    assert result["texts_withheld"] == 5
    rows = rows_of(series.out, "data") + rows_of(series.out, "rejects")
    assert len(rows) == 18
    for column in ("text", "source_text", "transcript"):
        assert {row[column] for row in rows} == {None}
    assert {row["source_id"] for row in rows} == {f"meld-series-dia{n}_utt0" for n in range(5)}
    translations = (series.folder / "memory.tsv").read_text(encoding="utf-8").split("\n", 1)[1]
    texts = translations.replace("\t", "\n").split("\n")
    assert len(texts) == 8
    assert found(series.out, [*texts, "nobody has translated"]) == []
    card = (series.out / "README.md").read_text(encoding="utf-8")
    assert "18 takes are of sentences that may not be passed on" in card
    assert "**This set may not be shared.**" in card


def test_a_licence_is_not_claimed_over_text_of_others(series):
    series.recipe["licence"] = "CC-BY-4.0"
    refused = series.build(code=2)
    assert "may not be shared: meld" in refused["error"]
