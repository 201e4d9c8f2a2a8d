"""Folders as they come in: read once, resumed, and what is wrong with them."""

import os
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import torch

from model.data.clips import UnusableAudio, read_audio
from pipeline.audio import encode_flac
from pipeline.errors import InputError
from tests.model.data.loading import load
from tests.model.tiny import RATE, tone, write_set

SPOILED = {
    "unreadable": (b"not audio", "can't be decoded"),
    "none": (b"", "can't be decoded"),
    "cut": (encode_flac(tone("sad", "en", "anna", 0), RATE)[:40], "can't be decoded|lasts 0 ms"),
    "zero-length": (encode_flac(np.zeros(0, np.float32), RATE), "lasts 0 ms|can't be decoded"),
    "short": (encode_flac(np.zeros(100, np.float32), RATE), "lasts 6 ms; 10 is the least"),
}


def test_whisper_runs_once_a_clip(folder, encoder, tmp_path, monkeypatch):
    first = load(folder, encoder, tmp_path).batch([0, 1])
    monkeypatch.setattr(type(encoder), "encode", lambda *_: pytest.fail("encoded again"))
    again = load(folder, encoder, tmp_path).batch([0, 1])
    assert torch.equal(first.frames, again.frames)
    assert torch.equal(first.lengths, again.lengths)


@pytest.mark.parametrize(
    ("name", "other"), [("_VERSION", 2), ("release", lambda package: f"{package} 99")]
)
def test_what_is_read_another_way_is_not_taken_from_the_cache(
    folder, encoder, tmp_path, monkeypatch, name, other
):
    first = load(folder, encoder, tmp_path)
    monkeypatch.setattr(f"model.data.clips.{name}", other)
    assert load(folder, encoder, tmp_path).fingerprint() != first.fingerprint()


def test_a_failed_write_is_gone_on_with(folder, encoder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(type(encoder), "encode", full)
        with pytest.raises(OSError, match="No space"):
            load(folder, encoder, tmp_path / "cache")
    assert len(load(folder, encoder, tmp_path / "cache")) == 24
    files = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert files == {"items", "rows.parquet"}


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("items", lambda path: os.truncate(path, 64)),
        ("items", os.unlink),
        ("rows.parquet", lambda path: os.truncate(path, 64)),
    ],
)
def test_a_damaged_cache_is_named_and_no_clip_is_heard_as_nothing(
    folder, encoder, tmp_path, name, damage
):
    load(folder, encoder, tmp_path)
    place = sorted(tmp_path.iterdir())[0]
    damage(place / name)
    with pytest.raises(InputError, match=f"--work: '{place}' is damaged: remove it, and the same"):
        load(folder, encoder, tmp_path)
    shutil.rmtree(place)
    assert len(load(folder, encoder, tmp_path)) == 24


def test_a_missing_column_names_the_shard(tmp_path, encoder):
    folder = write_set(tmp_path / "set")
    shard = next((folder / "data" / "de").glob("train-*"))
    pq.write_table(pq.read_table(shard).drop_columns(["language", "source_id"]), shard)
    with pytest.raises(InputError, match=rf"de/{shard.name}' has no column source_id, language"):
        load(folder, encoder, tmp_path)


def test_a_folder_that_is_none_is_named(tmp_path, encoder):
    with pytest.raises(InputError, match="is no dataset folder: it has no data/"):
        load(tmp_path / "nothing", encoder, tmp_path)


def test_an_unknown_emotion_is_dropped_with_a_count(folder, encoder, tmp_path):
    clips = load(folder, encoder, tmp_path, labels=("angry", "sad"))
    assert clips.dropped == {"label 'happy'": 8}
    assert len(clips) == 16


def test_a_set_without_any_of_the_labels_is_refused(folder, encoder, tmp_path):
    with pytest.raises(InputError, match=r"no clip of 'train' has an emotion of `labels` \(calm"):
        load(folder, encoder, tmp_path, labels=("calm", "bored"))


@pytest.mark.parametrize("name", SPOILED)
def test_unusable_audio_is_refused_with_its_reason(name):
    data, reason = SPOILED[name]
    with pytest.raises(UnusableAudio, match=reason):
        read_audio(data, 30.0)


@pytest.mark.parametrize("name", SPOILED)
def test_unusable_audio_is_counted_up_to_what_is_allowed(name, tmp_path, encoder):
    def spoil(row):
        if row["take_id"].startswith("train-sad-anna-0.en"):
            row["audio"]["bytes"] = SPOILED[name][0]
        return row

    folder = write_set(tmp_path / "set", spoil)
    clips = load(folder, encoder, tmp_path)
    assert len(clips) == 23
    assert clips.dropped == {"unusable audio": 1}
    clips.batch(range(23))
    said = "1 of 24 clips of 'train' are unusable.*train-sad-anna.*; mend or remove such rows"
    with pytest.raises(InputError, match=said):
        load(folder, encoder, tmp_path, most_unusable=0.01)


def test_other_rates_and_channels_and_long_clips_are_made_ours(tmp_path):
    stereo = np.stack([tone("sad", "en", "anna", 9)] * 2, axis=1)
    path = tmp_path / "a.wav"
    soundfile.write(path, stereo, 8_000)
    read = read_audio(path.read_bytes(), 0.5)
    assert read.shape == (RATE // 2,)
    assert read.dtype == np.float32


def test_every_speed_of_a_clip_counts_as_another_speaker_in_training_only(
    folder, encoder, tmp_path
):
    plain = load(folder, encoder, tmp_path)
    clips = load(folder, encoder, tmp_path, speeds=[1.0, 0.8])
    assert len(clips) == 2 * len(plain)
    assert sorted(clips.speaker_names) == [
        "tones/anna",
        "tones/anna*0.8",
        "tones/bela",
        "tones/bela*0.8",
    ]
    lengths = {name.as_py(): len(clips.frames([n])[0]) for n, name in enumerate(clips.names)}
    for name in plain.names.to_pylist():
        assert lengths[f"{name}*0.8"] == pytest.approx(lengths[name] / 0.8, abs=1)
    assert len(load(folder, encoder, tmp_path, "test", speeds=[1.0, 0.8])) == 24


@pytest.mark.parametrize(("rejects", "added"), [("none", ()), ("spare", (0,)), ("all", (0, 3))])
def test_rejects_train_and_never_those_of_other_splits(folder, encoder, tmp_path, rejects, added):
    whole = write_set(tmp_path / "set")
    kept = sorted((whole / "data" / "de").glob("train-*"))[0]
    rejected = pq.read_table(kept).slice(0, 4)
    about = {
        "split": ["train", "test", "validation", "train"],
        "reason": ["best_take", "best_take", "best_take", "transcript"],
    }
    (whole / "rejects" / "de").mkdir(parents=True)
    place = whole / "rejects" / "de" / "rejects-00000-of-00001.parquet"
    table = rejected.drop_columns(["split"])
    for name, values in about.items():
        table = table.append_column(name, pa.array(values))
    pq.write_table(table, place)
    sets = [{"engine": "folder", "path": str(whole), "rejects": rejects}]
    assert len(load(None, encoder, tmp_path, sets=sets)) == 24 + len(added)
    assert len(load(None, encoder, tmp_path, "test", sets=sets)) == 24
    names = load(None, encoder, tmp_path, sets=sets).names.to_pylist()
    twice = {name for name in names if names.count(name) == 2}
    assert twice == {rejected["take_id"][n].as_py() for n in added}
