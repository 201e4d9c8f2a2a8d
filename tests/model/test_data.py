"""Sets as they come in: from folders and from `datasets`, cached or not, and what is wrong."""

import os
import shutil
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import torch
from datasets import ClassLabel, Features

from model.architecture import RandomEncoder, WhisperEncoder
from model.clips import UnusableAudio, read_audio
from model.data import load_clips
from model.encoder import load_encoder
from model.losses import UNKNOWN
from model.sets import DataSettings
from pipeline.audio import decode_flac, encode_flac
from pipeline.errors import InputError
from tests.model.tiny import LANGUAGES, PITCH_HZ, RATE, WIDTH, rows, tone, write_set, write_whisper

LABELS = tuple(PITCH_HZ)


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(RandomEncoder(width=WIDTH, heads=2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("set"))


def load(path, encoder, where, split="train", labels=LABELS, **settings):
    sets = settings.pop("sets", [{"engine": "folder", "path": str(path)}])
    data = DataSettings.model_validate({"sets": sets, **settings})
    return load_clips(data, split, labels, encoder, where)


def test_a_folder_comes_in_whole_with_its_columns_numbered(folder, encoder, tmp_path):
    clips = load(folder, encoder, tmp_path)
    wanted = {row["take_id"]: row for row in rows("train")}
    assert sorted(clips.names.to_pylist()) == sorted(wanted)
    for number, name in enumerate(clips.names.to_pylist()):
        row = wanted[name]
        assert LABELS[clips.rows.emotions[number]] == row["emotion"]
        assert clips.languages()[number] == row["language"]
        assert clips.speaker_names[clips.rows.speakers[number]] == f"tones/{row['speaker_id']}"
        assert clips.synthetic[number] == row["is_synthetic"]


def test_frames_are_the_encoder_s_at_true_length_in_half_precision(folder, encoder, tmp_path):
    clips = load(folder, encoder, tmp_path)
    audio = {row["take_id"]: row["audio"]["bytes"] for row in rows("train")}
    for number in (0, 5, len(clips) - 1):
        samples, _ = decode_flac(audio[clips.names[number].as_py()])
        [own] = encoder.encode([samples])
        [held] = clips.frames([number])
        assert held.dtype == np.float16
        assert len(held) == -(-(len(samples) // 160) // 2)
        np.testing.assert_allclose(held, own, atol=5e-3)


def test_audio_is_the_other_way_to_the_same_frames(folder, encoder, tmp_path):
    frames = load(folder, encoder, tmp_path).batch([3, 1, 4])
    audio = load(folder, encoder, tmp_path, cache="audio").batch([3, 1, 4])
    assert torch.equal(frames.lengths, audio.lengths)
    assert torch.allclose(frames.frames, audio.frames, atol=5e-3)


def test_a_batch_is_padded_with_zeros_behind_each_length(folder, encoder, tmp_path):
    batch = load(folder, encoder, tmp_path).batch(np.array([0, 9]))
    assert batch.frames.shape == (2, int(batch.lengths.max()), WIDTH)
    for row, length in enumerate(batch.lengths.tolist()):
        assert not batch.frames[row, length:].any()


def test_whisper_runs_once_a_clip(folder, encoder, tmp_path, monkeypatch):
    first = load(folder, encoder, tmp_path).batch([0, 1])
    monkeypatch.setattr(type(encoder), "encode", lambda *_: pytest.fail("encoded again"))
    again = load(folder, encoder, tmp_path).batch([0, 1])
    assert torch.equal(first.frames, again.frames)
    assert torch.equal(first.lengths, again.lengths)


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


def test_speakers_keep_their_numbers_and_new_ones_are_unknown(folder, encoder, tmp_path):
    data = DataSettings.model_validate({"sets": [{"engine": "folder", "path": str(folder)}]})
    clips = load_clips(data, "test", LABELS, encoder, tmp_path, ["tones/bela"])
    assert set(clips.rows.speakers.tolist()) == {0, UNKNOWN}


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


SPOILED = {
    "unreadable": (b"not audio", "can't be decoded"),
    "none": (b"", "can't be decoded"),
    "cut": (encode_flac(tone("sad", "en", "anna", 0), RATE)[:40], "can't be decoded|lasts 0 ms"),
    "zero-length": (encode_flac(np.zeros(0, np.float32), RATE), "lasts 0 ms|can't be decoded"),
    "short": (encode_flac(np.zeros(100, np.float32), RATE), "lasts 6 ms; 10 is the least"),
}


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


def test_the_random_encoder_is_the_same_every_time_and_a_missing_one_is_named(encoder):
    again = load_encoder(RandomEncoder(width=WIDTH, heads=2))
    samples = tone("sad", "en", "anna", 0)
    assert np.array_equal(encoder.encode([samples])[0], again.encode([samples])[0])
    assert not any(module.training for module in encoder.whisper.modules())
    with pytest.raises(InputError, match=r"encoder\.model: 'nowhere\.pt' is neither"):
        load_encoder(WhisperEncoder(model="nowhere.pt"))


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


def test_channels_are_measured_over_the_frames_of_all_clips(folder, encoder, tmp_path):
    clips = load(folder, encoder, tmp_path)
    frames = np.concatenate(clips.frames(range(len(clips)))).astype(np.float64)
    mean, deviation = clips.channel_statistics()
    np.testing.assert_allclose(mean, frames.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(deviation, frames.std(axis=0), atol=1e-5)


def test_layers_of_whisper_lie_side_by_side_and_the_last_is_its_own(tmp_path):
    path = write_whisper(tmp_path / "tiny.safetensors")
    samples = tone("sad", "en", "anna", 0)
    several = load_encoder(WhisperEncoder(model=path, layers=(0, 1)))
    plain = load_encoder(WhisperEncoder(model=path))
    assert several.width == 2 * WIDTH
    assert several.fingerprint != plain.fingerprint
    [frames] = several.encode([samples])
    [last] = plain.encode([samples])
    norm = plain.whisper.encoder.ln_post(torch.from_numpy(frames[:, WIDTH:]).float())
    np.testing.assert_allclose(norm.numpy(), last, atol=2e-2)
    assert not np.allclose(frames[:, :WIDTH], frames[:, WIDTH:], atol=0.1)
    with pytest.raises(InputError, match=r"encoder\.layers: 2 is not there; '0' to '1' are"):
        load_encoder(WhisperEncoder(model=path, layers=(2,)))
