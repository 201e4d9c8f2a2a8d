"""Clips by number: columns, frames, audio, batches."""

import numpy as np
import pytest
import torch

from model.data.load import load_clips
from model.losses import UNKNOWN
from model.network.encoder import load_encoder
from model.recipe.architecture import RandomEncoder, WhisperEncoder
from model.recipe.sets import DataSettings
from pipeline.audio import decode_flac
from pipeline.errors import InputError
from tests.model.data.loading import LABELS, load
from tests.model.tiny import WIDTH, rows, tone, write_whisper


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


def test_speakers_keep_their_numbers_and_new_ones_are_unknown(folder, encoder, tmp_path):
    data = DataSettings.model_validate({"sets": [{"engine": "folder", "path": str(folder)}]})
    clips = load_clips(data, "test", LABELS, encoder, tmp_path, ["tones/bela"])
    assert set(clips.rows.speakers.tolist()) == {0, UNKNOWN}


def test_the_random_encoder_is_the_same_every_time_and_a_missing_one_is_named(encoder):
    again = load_encoder(RandomEncoder(width=WIDTH, heads=2))
    samples = tone("sad", "en", "anna", 0)
    assert np.array_equal(encoder.encode([samples])[0], again.encode([samples])[0])
    assert not any(module.training for module in encoder.whisper.modules())
    with pytest.raises(InputError, match=r"encoder\.model: 'nowhere\.pt' is neither"):
        load_encoder(WhisperEncoder(model="nowhere.pt"))


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
