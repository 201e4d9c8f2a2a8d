"""Corpora: labels are mapped or dropped with a count, bad entries are named, nothing escapes."""

import os

import pytest

from pipeline.corpora.base import CorpusMissing, Dropped, Unreadable
from pipeline.corpora.crema_d import CremaD
from pipeline.corpora.esd import Esd
from pipeline.corpora.iemocap import Iemocap
from pipeline.corpora.listing import BadListing
from pipeline.corpora.manifest import Manifest
from pipeline.corpora.meld import Meld
from pipeline.corpora.quickstart import Quickstart
from pipeline.corpora.ravdess import Ravdess
from pipeline.corpora.several import Several
from pipeline.emotions import EMOTIONS


def test_quickstart_lists_its_table():
    utterances = list(Quickstart().read())
    assert len(utterances) == 91
    assert {utterance.emotion for utterance in utterances} == set(EMOTIONS)
    assert {utterance.gender for utterance in utterances} == {"female", "male"}
    assert all(utterance.recording is None for utterance in utterances)


def test_ravdess_reads_emotion_speaker_and_gender_off_the_name(tmp_path):
    (tmp_path / "Actor_01").mkdir()
    (tmp_path / "Actor_02").mkdir()
    (tmp_path / "Actor_01" / "03-01-05-01-02-01-01.wav").touch()
    (tmp_path / "Actor_02" / "03-01-02-01-01-01-02.wav").touch()
    (tmp_path / "Actor_02" / "03-01-09-01-01-01-02.wav").touch()
    (tmp_path / "Actor_02" / "take two.wav").touch()
    calm, angry, unknown, other = Ravdess(path=tmp_path).read()
    assert calm == Dropped("03-01-02-01-01-01-02", "calm")
    assert (angry.emotion, angry.speaker, angry.gender) == ("angry", "ravdess-01", "male")
    assert angry.text == "Dogs are sitting by the door."
    assert isinstance(unknown, Unreadable)
    assert "not a RAVDESS file name" in other.error


@pytest.mark.parametrize("corpus", [Ravdess, Meld, Manifest, Iemocap, CremaD, Esd])
def test_a_missing_corpus_names_field_value_and_fix(corpus, tmp_path):
    with pytest.raises(CorpusMissing, match=r"corpus.path: .*nowhere.*--set corpus.path="):
        list(corpus(path=tmp_path / "nowhere").read())


def test_a_ravdess_folder_without_clips_is_missing(tmp_path):
    with pytest.raises(CorpusMissing, match="holds no WAV file"):
        list(Ravdess(path=tmp_path).read())


MELD_HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"


def test_meld_names_no_file_by_what_is_no_number(tmp_path):
    table = tmp_path / "dev.csv"
    table.write_text(
        MELD_HEADER + "1,No, way!,Ross,joy,positive,0,0\n2,Hi.,Ross,joy,positive,../..,1\n"
    )
    shifted, climbing = Meld(path=table, audio=tmp_path).read()
    assert "dev.csv:2: Dialogue_ID 'positive' is no number" in shifted.error
    assert "dev.csv:3: Dialogue_ID '../..' is no number" in climbing.error


def test_meld_that_is_no_csv_is_said_so(tmp_path):
    table = tmp_path / "dev.csv"
    table.write_text(MELD_HEADER + "1," + "a" * 200_000)
    with pytest.raises(BadListing, match=r"corpus.path: 'dev.csv' is no CSV file: field larger"):
        list(Meld(path=table).read())


def test_a_table_without_measure_is_not_read(tmp_path):
    table = tmp_path / "dev.csv"
    table.write_text(MELD_HEADER)
    os.truncate(table, 1 << 40)
    with pytest.raises(BadListing, match="'dev.csv' is larger than 256 MiB"):
        list(Meld(path=table).read())


def test_meld_without_its_columns_is_another_table(tmp_path):
    table = tmp_path / "dev.csv"
    table.write_text("Utterance;Speaker\nHi.;Ross\n")
    with pytest.raises(BadListing, match=r"'dev.csv' has no column Dialogue_ID, Emotion, Speaker,"):
        list(Meld(path=table).read())


@pytest.mark.parametrize("speaker", ["", "Ro\x1b[2Jss"])
def test_meld_s_speakers_have_names(tmp_path, speaker):
    table = tmp_path / "dev.csv"
    table.write_text(MELD_HEADER + f"1,Hi.,{speaker},joy,positive,0,0\n")
    [entry] = Meld(path=table).read()
    assert entry.error == f"dev.csv:2: Speaker {speaker!r} is no name"


def test_meld_maps_its_labels_and_names_lines_that_lack_columns(tmp_path):
    table = tmp_path / "dev.csv"
    table.write_text(
        "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
        '1,"Oh my God, he’s lost it.",Phoebe,sadness,negative,0,0\n'
        "2,What?,Passer-by,contempt,negative,0,1\n"
        "3,Half\n",
        encoding="utf-8",
    )
    first, second, third = Meld(path=table).read()
    assert (first.id, first.emotion, first.gender) == ("meld-dev-dia0_utt0", "sad", "female")
    assert second == Dropped("dia0_utt1", "contempt")
    assert "line 4 lacks" in third.error


@pytest.mark.parametrize(
    "text",
    [
        "my company\x92s transition\x85 \x97 oh".encode(),
        "my company\u2019s transition\u2026 \u2014 oh".encode("cp1252"),
        "my company\u2019s transition\u2026 \u2014 oh".encode(),
    ],
)
def test_meld_is_read_in_each_encoding_that_its_tables_hold(tmp_path, text):
    table = tmp_path / "train.csv"
    table.write_bytes(MELD_HEADER.encode() + b"1," + text + b",Ross,joy,positive,0,0\n")
    (entry,) = Meld(path=table).read()
    assert entry.text == "my company\u2019s transition\u2026 \u2014 oh"


def test_the_parts_of_meld_stand_together(tmp_path):
    for part in ("train_sent_emo", "dev_sent_emo"):
        (tmp_path / f"{part}.csv").write_text(MELD_HEADER + "1,Hi.,Ross,joy,positive,0,0\n")
    parts = [Meld(path=path) for path in sorted(tmp_path.glob("*.csv"))]
    dev, train = Several(parts=parts).read()
    assert (dev.id, train.id) == ("meld-dev_sent_emo-dia0_utt0", "meld-train_sent_emo-dia0_utt0")
