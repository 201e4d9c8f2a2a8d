"""The door for recordings: every kind of bad file, and what a good one becomes."""

import errno
import os

import numpy as np
import pytest
import soundfile

from pipeline.audio import (
    BadAudio,
    Clip,
    decode_flac,
    encode_flac,
    open_recording,
    read_recording,
    resample,
)
from pipeline.corpora.base import Door
from pipeline.records import Recording

RATE = 16_000


def tone(seconds=1.0, rate=RATE, level=0.3):
    return (level * np.sin(2 * np.pi * 200 * np.arange(int(seconds * rate)) / rate)).astype("f4")


def write(path, samples, rate=RATE, **options):
    soundfile.write(path, samples, rate, **options)
    return Recording(path)


def test_a_good_clip_comes_in_at_its_own_rate(tmp_path):
    clip = open_recording(write(tmp_path / "a.wav", tone(), 48_000), Door())
    assert (clip.sampling_rate, clip.channels, clip.samples.dtype) == (48_000, 1, np.float32)
    assert clip.duration_s == pytest.approx(1 / 3)


def test_clips_that_sound_alike_have_one_hash_and_others_have_others():
    clip = Clip(tone(), RATE, 1)
    assert Clip(tone(), RATE, 2).sha256 == clip.sha256
    others = Clip(tone(), 8000, 1), Clip(tone(level=0.31), RATE, 1)
    assert len({clip.sha256, *(other.sha256 for other in others)}) == 3


def test_stereo_is_mixed_down_by_the_mean(tmp_path):
    stereo = np.stack([tone(), 0 * tone()], axis=1)
    clip = open_recording(write(tmp_path / "a.wav", stereo, subtype="FLOAT"), Door())
    assert clip.channels == 2
    np.testing.assert_allclose(clip.samples, tone() / 2, atol=1e-6)


def test_start_and_end_cut_the_clip(tmp_path):
    write(tmp_path / "a.wav", tone(3.0), subtype="FLOAT")
    clip = open_recording(Recording(tmp_path / "a.wav", 1.0, 1.5), Door())
    np.testing.assert_allclose(clip.samples, tone(3.0)[RATE : RATE * 3 // 2], atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(RATE, "f4"), "silent"),
        (np.full(RATE, np.nan, "f4"), "not finite"),
        (np.where(np.arange(RATE) == 9, np.inf, 0.1).astype("f4"), "not finite"),
        (tone() * 1e30, "peak of 590 dBFS, and no recording is above 40"),
        (np.round(tone() * 32767), r"scale its samples to \[-1, 1\]"),
        (tone()[:1], "lasts 0.000 s"),
        (tone()[:0], "lasts 0.000 s"),
        (tone(31.0), "lasts 31.0 s; door.longest_s is 30"),
    ],
)
def test_bad_values_are_refused_by_name(tmp_path, samples, message):
    with pytest.raises(BadAudio, match=f"'bad.wav'.*{message}"):
        open_recording(write(tmp_path / "bad.wav", samples, subtype="FLOAT"), Door())


@pytest.mark.parametrize(("limit_dbfs", "sign"), [(Door().silence_db, 1), (40.0, -1)])
def test_a_clip_may_be_as_quiet_or_as_loud_as_is_said(tmp_path, limit_dbfs, sign):
    inside, outside = (tone(level=10 ** ((limit_dbfs + sign * db) / 20)) for db in (0.5, -0.5))
    assert open_recording(write(tmp_path / "a.wav", inside, subtype="FLOAT"), Door()).samples.any()
    with pytest.raises(BadAudio, match="is silent|no recording is above"):
        open_recording(write(tmp_path / "b.wav", outside, subtype="FLOAT"), Door())


def test_what_a_float_recorder_writes_above_full_scale_comes_in(tmp_path):
    clip = open_recording(write(tmp_path / "a.wav", tone() * 30, subtype="FLOAT"), Door())
    assert np.abs(clip.samples).max() == pytest.approx(9, rel=1e-3)


def test_an_hour_long_file_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros(3600 * 8000, "i2"), 8000)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *a, **k: pytest.fail("was decoded"))
    with pytest.raises(BadAudio, match=r"lasts 3600.0 s"):
        open_recording(Recording(path), Door())


def test_a_small_file_of_many_channels_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    many = np.tile(tone(1.0, 192_000)[:, None], (1, 8))
    recording = write(tmp_path / "a.flac", many, 192_000)
    assert open_recording(recording, Door()).channels == 8
    monkeypatch.setattr("pipeline.audio._MOST_VALUES", 8 * 192_000 - 1)
    assert open_recording(Recording(recording.path, 0.5, 1.0), Door()).duration_s == 0.5
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("was decoded"))
    with pytest.raises(BadAudio, match=r"1536000 samples in its 8 channels at 192000 Hz.*mix it"):
        open_recording(recording, Door())


@pytest.mark.parametrize("share", [0.95, 0.5])
@pytest.mark.parametrize(
    ("name", "why"),
    [("a.ogg", "no whole last page"), ("a.aiff", "bytes"), ("a.au", "bytes"), ("a.w64", "bytes")],
)
def test_what_is_left_of_another_file_is_refused(tmp_path, name, why, share):
    recording = write(tmp_path / name, tone(5.0))
    assert open_recording(recording, Door()).duration_s == pytest.approx(5.0)
    whole = recording.path.read_bytes()
    recording.path.write_bytes(whole[: round(len(whole) * share)])
    with pytest.raises(BadAudio, match=f"cut off: .*{why}"):
        open_recording(recording, Door())


@pytest.mark.parametrize(("name", "place", "size"), [("a.wav", 4, 4), ("a.au", 8, 4)])
def test_a_size_that_nobody_knew_is_no_damage(tmp_path, name, place, size):
    path = write(tmp_path / name, tone()).path
    whole = bytearray(path.read_bytes())
    whole[place : place + size] = b"\xff" * size
    path.write_bytes(whole)
    assert open_recording(Recording(path), Door()).duration_s == pytest.approx(1.0)


def test_a_flac_that_was_written_to_a_pipe_is_told_apart_from_a_long_one(tmp_path):
    path = write(tmp_path / "a.flac", tone()).path
    whole = bytearray(path.read_bytes())
    whole[21] &= 0xF0
    whole[22:26] = bytes(4)
    path.write_bytes(whole)
    with pytest.raises(BadAudio, match=r"'a.flac' doesn't say how long it is: convert it"):
        open_recording(Recording(path), Door())


def test_channels_that_cancel_each_other_out_are_no_silence(tmp_path):
    recording = write(tmp_path / "a.wav", np.stack([tone(), -tone()], axis=1))
    with pytest.raises(BadAudio, match="channels that cancel each other out"):
        open_recording(recording, Door())


@pytest.mark.parametrize("left", [-1, -40, "header"])
def test_an_ogg_file_whose_last_page_is_not_whole_is_refused(tmp_path, left):
    path = write(tmp_path / "a.ogg", tone(1.0)).path
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rfind(b"OggS") + 10 if left == "header" else left])
    with pytest.raises(BadAudio, match="no whole last page"):
        open_recording(Recording(path), Door())


def test_a_wav_may_lack_the_byte_that_makes_its_length_even_and_no_other(tmp_path):
    path = write(tmp_path / "a.wav", tone()[:-1], subtype="PCM_U8").path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert len(open_recording(Recording(path), Door()).samples) == RATE - 1
    path.write_bytes(whole[:-2])
    with pytest.raises(BadAudio, match=f"it has {len(whole) - 2} of {len(whole)} bytes"):
        open_recording(Recording(path), Door())


def test_a_truncated_wav_is_refused(tmp_path):
    path = write(tmp_path / "cut.wav", tone(2.0)).path
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(BadAudio, match="cut off"):
        open_recording(Recording(path), Door())


def test_a_truncated_flac_is_refused(tmp_path):
    path = write(tmp_path / "cut.flac", np.random.default_rng(0).normal(0, 0.1, RATE * 2)).path
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(BadAudio, match="cut.flac"):
        open_recording(Recording(path), Door())


@pytest.mark.parametrize("bounds", [(5.0, None), (1e300, None), (0.0, 1e307), (2.0, 3.0)])
def test_a_part_beyond_the_end_is_refused_with_the_files_length(tmp_path, bounds):
    write(tmp_path / "a.wav", tone())
    with pytest.raises(BadAudio, match=r"'a.wav' ends at 1.00 s, before [\de+.]+ s$"):
        open_recording(Recording(tmp_path / "a.wav", *bounds), Door())


def test_a_name_that_no_file_system_takes_is_a_bad_recording(tmp_path):
    with pytest.raises(BadAudio, match="can't be opened: File name too long"):
        open_recording(Recording(tmp_path / ("a" * 300 + ".wav")), Door())


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_a_file_that_cannot_be_read_now_is_no_bad_recording(tmp_path, monkeypatch, number):
    recording = write(tmp_path / "a.wav", tone())

    def fails(path, *arguments):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("pathlib.Path.open", fails)
    with pytest.raises(OSError, match=os.strerror(number)):
        open_recording(recording, Door())
    number = errno.ENOENT
    with pytest.raises(BadAudio, match="'a.wav' can't be opened: No such file"):
        open_recording(recording, Door())


def test_what_the_system_refuses_to_libsndfile_is_no_bad_recording(tmp_path, monkeypatch):
    recording = write(tmp_path / "a.wav", tone())

    def fails(*arguments, **options):
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile.SoundFile, "read", fails)
    with pytest.raises(OSError, match=r"Input/output error: '.*a.wav'"):
        open_recording(recording, Door())


def test_a_recording_that_came_in_before_and_is_gone_or_damaged_now_is_an_error_of_the_system(
    tmp_path,
):
    recording = write(tmp_path / "a.wav", tone())
    assert len(read_recording(recording, RATE)) == RATE
    recording.path.write_bytes(b"not audio at all" * 100)
    with pytest.raises(OSError, match=r"Input/output error: '.*a.wav'"):
        read_recording(recording, RATE)
    recording.path.unlink()
    with pytest.raises(FileNotFoundError, match=r"corpus.path: .* is not there; .*a.wav"):
        read_recording(recording, RATE)


def test_a_recording_is_read_again_as_it_came_in(tmp_path):
    sweep = tone(3.0, 48_000) * np.linspace(0.1, 1.0, 3 * 48_000, dtype="f4")
    write(tmp_path / "a.wav", np.stack([sweep, 0.5 * sweep[::-1]], axis=1), 48_000)
    for bounds in ((), (1.0,), (1.0, 1.5), (None, 2.0)):
        recording = Recording(tmp_path / "a.wav", *bounds)
        clip = open_recording(recording, Door())
        again = read_recording(recording, RATE)
        np.testing.assert_array_equal(again, resample(clip.samples, 48_000, RATE))


@pytest.mark.parametrize("size", [b"\0" * 4, b"\xff" * 4])
def test_a_wav_that_was_written_to_a_pipe_comes_in(tmp_path, size):
    path = write(tmp_path / "a.wav", tone()).path
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + size + whole[8:])
    assert open_recording(Recording(path), Door()).duration_s == pytest.approx(1.0)


def test_what_is_wrong_with_a_file_does_not_say_where_it_lies(tmp_path):
    path = tmp_path / "noise.wav"
    path.write_bytes(b"not audio at all" * 100)
    with pytest.raises(BadAudio, match="'noise.wav' can't be decoded: Format not recog") as bad:
        open_recording(Recording(path), Door())
    assert str(tmp_path) not in str(bad.value)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not audio at all" * 100])
def test_what_is_no_audio_is_refused(tmp_path, content):
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(BadAudio, match="x.wav"):
        open_recording(Recording(path), Door())


@pytest.mark.parametrize("name", ["x.raw", "x.RAW", "x.gsm", "x.vox", "x.au"])
def test_no_name_makes_audio_of_bytes_without_a_header(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"\xd2\x33" * 20_000)
    with pytest.raises(BadAudio, match=f"'{name}' has no header.*: convert what is another"):
        open_recording(Recording(path), Door())


def test_an_mp3_that_does_not_begin_with_a_frame_comes_in(tmp_path):
    path = write(tmp_path / "a.mp3", tone()).path
    path.write_bytes(b"\0" * 700 + path.read_bytes())
    assert open_recording(Recording(path), Door()).duration_s == pytest.approx(1.0)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.wav"):
        with pytest.raises(BadAudio, match="not a file"):
            open_recording(Recording(path), Door())


def test_an_end_beyond_the_file_and_a_low_rate_are_refused(tmp_path):
    write(tmp_path / "a.wav", tone())
    with pytest.raises(BadAudio, match=r"ends at 1.00 s, before 2 s"):
        open_recording(Recording(tmp_path / "a.wav", 0.0, 2.0), Door())
    write(tmp_path / "low.wav", tone(rate=4000), 4000)
    with pytest.raises(BadAudio, match="4000 Hz; door.lowest_rate_hz is 8000"):
        open_recording(Recording(tmp_path / "low.wav"), Door())


def test_flac_keeps_sixteen_bits_and_gives_the_same_bytes():
    samples = tone()
    packed = encode_flac(samples, RATE)
    assert packed == encode_flac(samples, RATE)
    decoded, rate = decode_flac(packed)
    assert rate == RATE
    np.testing.assert_allclose(decoded, samples, atol=1 / 32768)


def test_resampling_keeps_the_tone():
    there = resample(tone(rate=48_000), 48_000, RATE)
    assert len(there) == RATE
    np.testing.assert_allclose(there[2000:-2000], tone()[2000:-2000], atol=2e-3)
    assert resample(there, RATE, RATE) is there
