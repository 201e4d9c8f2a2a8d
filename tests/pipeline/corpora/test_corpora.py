"""Corpora: labels are mapped or dropped with a count, bad entries are named, nothing escapes."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora.base import CorpusMissing, Dropped, Unreadable
from pipeline.corpora.manifest import Manifest
from pipeline.corpora.meld import Meld
from pipeline.corpora.quickstart import Quickstart
from pipeline.corpora.ravdess import Ravdess
from pipeline.emotions import EMOTIONS
from pipeline.records import Utterance


def kinds(entries):
    return [type(entry).__name__ for entry in entries]


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


@pytest.mark.parametrize("corpus", [Ravdess, Meld, Manifest])
def test_a_missing_corpus_names_field_value_and_fix(corpus, tmp_path):
    with pytest.raises(CorpusMissing, match=r"corpus.path: .*nowhere.*--set corpus.path="):
        list(corpus(path=tmp_path / "nowhere").read())


def test_a_ravdess_folder_without_clips_is_missing(tmp_path):
    with pytest.raises(CorpusMissing, match="holds no WAV file"):
        list(Ravdess(path=tmp_path).read())


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
    assert (first.id, first.emotion, first.gender) == ("meld-dia0_utt0", "sad", "female")
    assert second == Dropped("dia0_utt1", "contempt")
    assert "line 4 lacks" in third.error


ROW = {"text": "Hello there.", "emotion": "joy", "speaker": "me", "licence": "CC0-1.0"}


def write_manifest(folder, rows, suffix):
    path = folder / f"list{suffix}"
    if suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        comma = "," if suffix == ".csv" else "\t"
        names = list(rows[0])
        lines = [comma.join(str(row.get(name) or "") for name in names) for row in rows]
        path.write_text("\n".join([comma.join(names), *lines]), encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_a_manifest_says_the_same_in_every_format(tmp_path, suffix):
    rows = [
        {**ROW, "path": "clips/a.wav", "start": 0.5, "end": 1.5, "gender": "female", "id": "x1"},
        {**ROW, "path": None, "start": None, "end": None, "gender": "male", "id": "x2"},
    ]
    path = write_manifest(tmp_path, rows, suffix)
    first, second = Manifest(path=path, labels={"joy": "happy"}).read()
    assert (first.id, first.emotion, first.speaker) == ("x1", "happy", "me")
    assert first.recording.path == tmp_path / "clips/a.wav"
    assert (first.recording.start_s, first.recording.end_s) == (0.5, 1.5)
    assert second.recording is None
    assert second.gender == "male"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "../../etc/passwd"}, "leaves the manifest's folder"),
        ({"path": "/etc/passwd"}, "leaves the manifest's folder"),
        ({"text": None}, "text"),
        ({"speaker": ""}, "speaker"),
        ({"path": "a.wav", "start": 2.0, "end": 1.0}, "start 2 is not before end 1"),
        ({"start": -1}, "start"),
        ({"gender": "loud"}, "gender"),
    ],
)
def test_a_bad_row_is_named_and_the_others_live(tmp_path, change, message):
    path = write_manifest(tmp_path, [{**ROW, **change}, ROW], ".jsonl")
    bad, good = Manifest(path=path, labels={"joy": "happy"}).read()
    assert isinstance(bad, Unreadable)
    assert "list-000001" in bad.error
    assert message in bad.error
    assert isinstance(good, Utterance)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "secret.wav").touch()
    (tmp_path / "data" / "a.wav").symlink_to(tmp_path / "secret.wav")
    path = write_manifest(tmp_path / "data", [{**ROW, "path": "a.wav"}], ".jsonl")
    (bad,) = Manifest(path=path).read()
    assert "leaves the manifest's folder" in bad.error


def test_lines_that_are_not_json_are_named(tmp_path):
    path = tmp_path / "list.jsonl"
    path.write_text('{"text": \n[1, 2]\n' + json.dumps(ROW) + "\n")
    entries = list(Manifest(path=path, labels={"joy": "happy"}).read())
    assert kinds(entries) == ["Unreadable", "Unreadable", "Utterance"]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "list.jsonl"
    path.write_text("x" * 200_000)
    with pytest.raises(ValueError, match="a line has over"):
        list(Manifest(path=path).read())


def test_an_unknown_ending_and_an_unmapped_label(tmp_path):
    path = write_manifest(tmp_path, [ROW], ".jsonl")
    assert list(Manifest(path=path).read()) == [Dropped("list-000001", "joy")]
    other = path.rename(tmp_path / "list.xlsx")
    with pytest.raises(ValueError, match=r"'.xlsx': a manifest is"):
        list(Manifest(path=other).read())
