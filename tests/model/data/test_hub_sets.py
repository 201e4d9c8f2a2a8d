"""Any set of `datasets`, by its own names."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from datasets import ClassLabel, Features

from model.losses import UNKNOWN
from pipeline.errors import InputError
from tests.model.data.loading import load
from tests.model.tiny import LANGUAGES, RATE, rows, tone


def hub_folder(folder):
    """Parquet as `datasets` reads it, with labels and names of its own."""
    (folder / "data").mkdir(parents=True)
    lines = [
        {
            "audio": row["audio"],
            "mood": {"angry": "ANG", "happy": "HAP"}.get(row["emotion"], "XXX"),
            "who": row["speaker_id"],
            "lang": row["language"],
        }
        for row in rows("train")
    ]
    pq.write_table(pa.Table.from_pylist(lines), folder / "data" / "train-00000-of-00001.parquet")
    return folder


def hub_set(folder, **changes):
    columns = {"label": "mood", "language": "lang", "speaker": "who", "source": None}
    labels = {"ANG": "angry", "HAP": "happy"}
    return {"engine": "datasets", "name": str(folder), "labels": labels, **columns, **changes}


def test_any_set_of_datasets_comes_in_by_its_own_names(tmp_path, encoder):
    folder = hub_folder(tmp_path / "hub")
    clips = load(None, encoder, tmp_path, sets=[hub_set(folder)])
    assert len(clips) == 16
    assert clips.dropped == {"label 'XXX'": 8}
    assert set(clips.languages()) == set(LANGUAGES)
    assert len(clips.speaker_names) == 2
    assert len(set(clips.rows.sources.tolist())) == 16
    fixed = load(None, encoder, tmp_path, sets=[hub_set(folder, language="=fa")])
    assert set(fixed.languages()) == {"fa"}


def test_a_set_of_datasets_without_a_column_says_which_it_has(tmp_path, encoder):
    folder = hub_folder(tmp_path / "hub")
    with pytest.raises(InputError, match="has no column feeling; it has .*mood"):
        load(None, encoder, tmp_path, sets=[hub_set(folder, label="feeling")])


@pytest.mark.parametrize("column", ["speaker", "source"])
def test_a_speaker_or_source_column_that_was_named_has_to_be_there(tmp_path, encoder, column):
    folder = hub_folder(tmp_path / "hub")
    with pytest.raises(InputError, match=r"has no column whoo; it has .*who.*or null"):
        load(None, encoder, tmp_path, sets=[hub_set(folder, **{column: "whoo"})])


def test_clips_of_a_set_without_speakers_are_no_one_s(tmp_path, encoder):
    folder = hub_folder(tmp_path / "hub")
    sets = [hub_set(folder, speaker="speaker_id")]  # our name: a set may lack it
    clips = load(None, encoder, tmp_path, sets=sets, speeds=[1.0, 0.9])
    assert clips.speaker_names == ()
    assert set(clips.rows.speakers.tolist()) == {UNKNOWN}
    assert set(clips.speakers()) == {""}


def test_a_class_label_of_minus_one_is_none_and_not_the_last_class(tmp_path, encoder):
    folder = hub_folder(tmp_path / "hub")
    [path] = (folder / "data").iterdir()
    table = pq.read_table(path).drop_columns(["mood"])
    labels = [-1, 1] + [0] * (table.num_rows - 2)
    table = table.append_column("mood", pa.array(labels, pa.int64()))
    features = Features.from_arrow_schema(table.schema)
    features["mood"] = ClassLabel(names=["HAP", "ANG"])
    pq.write_table(table.cast(features.arrow_schema), path)
    clips = load(None, encoder, tmp_path, sets=[hub_set(folder)])
    assert clips.dropped == {"label 'None'": 1}
    assert np.bincount(clips.rows.emotions).tolist() == [1, len(labels) - 2]


def test_files_of_audio_that_datasets_can_t_open_are_a_sentence(tmp_path, encoder, monkeypatch):
    folder = tmp_path / "files" / "train"
    folder.mkdir(parents=True)
    soundfile.write(folder / "a.wav", tone("sad", "en", "anna", 0), RATE)
    (folder / "metadata.csv").write_text("file_name,mood,lang\na.wav,ANG,en\n")
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    named = hub_set(folder.parent, speaker=None)
    with pytest.raises(InputError, match="needs torchcodec and FFmpeg: install them, or list"):
        load(None, encoder, tmp_path, sets=[named])


def test_a_hub_set_is_pinned(tmp_path, encoder):
    with pytest.raises(InputError, match="'someone/speech' has no revision: pin"):
        load(None, encoder, tmp_path, sets=[hub_set("someone/speech")])
