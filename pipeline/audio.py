"""A waveform: how it comes in at the door, how it is resampled, and how it is packed."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from pipeline.corpora.base import Door
from pipeline.records import Recording

_LOUDEST_DBFS = 40.0
"""Peak of a clip at the most. Recorders that write floats leave some 20 dB above full scale
(assumed); what lies above this is integers that were never scaled to [-1, 1], or noise of a broken
file. One such neutral clip would silence every take that is relative to it."""
_MOST_VALUES = 1 << 26
"""Of all channels together: 256 MiB, that is 30 s of eight channels at 192 kHz."""
_LASTING = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)
"""Of the errors in opening a file, those that another try doesn't mend."""
_SIZES: Mapping[bytes, str] = {b"RIFF": "<4xI", b"FORM": ">4xI", b".snd": ">4xII", b"riff": "<16xQ"}
"""What stands behind the mark of a WAV, AIFF, AU or Wave64 file: how long the rest of it is."""
_LONGEST_HEADER = 24
_BESIDE = {b"RIFF": 8, b"FORM": 8, b".snd": 0, b"riff": 0}
"""Bytes of the file that its size leaves out."""
_UNSAID_FRAMES = 1 << 48
"""Of a file whose header doesn't say how long it is, as one that was written to a pipe."""
_LONGEST_OGG_PAGE, _OGG_HEADER = 65_307, 27
"""Bytes of a page, and of what stands before the lengths of its parts (RFC 3533, section 6)."""
READABLE = "WAV, FLAC, MP3 and Ogg are read: convert what is another, as by ffmpeg -i IN OUT.flac"
"""What can be done about a clip that is none."""
_SYSTEM_ERROR = 2
"""libsndfile's code for what the operating system refused: `SF_ERR_SYSTEM`."""


class BadAudio(ValueError):
    """A recording that can't be used, and why, in one sentence that names the file."""


@dataclass(frozen=True)
class Clip:
    """A checked mono recording: float32 [T] in [-1, 1]; `channels` it had before the mix-down."""

    samples: np.ndarray
    sampling_rate: int
    channels: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sampling_rate

    @property
    def sha256(self) -> str:
        """Hash (hex) of what is heard: the samples at their rate."""
        return hashlib.sha256(
            f"{self.sampling_rate} ".encode() + self.samples.tobytes()
        ).hexdigest()


def open_recording(recording: Recording, door: Door) -> Clip:
    """Decode a recording and check it, once; channels are mixed down by their mean.

    Only the stated part is decoded, and nothing before its length is known to be within bounds.

    Raises:
        BadAudio: missing, undecodable, cut off, too short or long, of too low a rate, of too many
            samples, silent, far above full scale, or with values that are not finite.
        OSError: it is there and can't be read now, as on a share that is away: see `may_pass`.
    """
    name = recording.path.name
    try:
        if not recording.path.is_file():
            raise BadAudio(f"'{name}' is not a file")
        _check_end(recording.path)
        if recording.path.suffix.lower() == ".raw":
            raise _headerless(name)  # soundfile would ask for its rate, by a TypeError
        with soundfile.SoundFile(recording.path) as file:
            if file.format == "RAW":
                raise _headerless(name)
            start, frames = _span(file, recording, name, door)
            file.seek(start)
            samples = file.read(frames, dtype="float32", always_2d=True)
            rate = int(file.samplerate)
    except soundfile.LibsndfileError as error:
        if error.code == _SYSTEM_ERROR:
            raise _unreadable(recording.path) from error
        # Its text names the path, which is nobody's business where the set is published.
        raise BadAudio(f"'{name}' can't be decoded: {error.error_string} {READABLE}") from error
    except OSError as error:
        if may_pass(error):
            raise
        raise BadAudio(f"'{name}' can't be opened: {error.strerror}") from error
    if len(samples) < frames:
        raise BadAudio(f"'{name}' is cut off: it holds {len(samples)} of {frames} samples")
    mono = samples.mean(axis=1)
    _check_values(mono, float(np.abs(samples).max()), name, door)
    return Clip(mono, rate, samples.shape[1])


def may_pass(error: OSError) -> bool:
    """Whether a file that can't be read now may be later: a share returns, what is missing not."""
    return error.errno not in _LASTING


def read_recording(recording: Recording, rate_hz: int) -> np.ndarray:
    """Samples float32 [T], mono, at a rate, of a recording that came in through the door before.

    Raises:
        OSError: it is not there any more, or can't be read now.
    """
    require_recording(recording)
    try:
        with soundfile.SoundFile(recording.path) as file:
            rate = int(file.samplerate)
            start = round((recording.start_s or 0.0) * rate)
            end = int(file.frames) if recording.end_s is None else round(recording.end_s * rate)
            file.seek(start)
            samples = file.read(end - start, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise _unreadable(recording.path) from error
    return resample(samples.mean(axis=1), rate, rate_hz)


def is_there(path: Path) -> bool:
    """Whether a recording is a file.

    Raises:
        OSError: that can't be said now, as on a share that is away.
    """
    try:
        return path.is_file()
    except OSError as error:
        if may_pass(error):
            raise
        return False


def require_recording(recording: Recording) -> None:
    """Make sure that a recording which the build has read before is there for this worker too.

    That it isn't is the machine's fault: stored as the row's, it would stay when that is mended.

    Raises:
        FileNotFoundError: it isn't.
    """
    if not recording.path.is_file():
        raise FileNotFoundError(
            errno.ENOENT,
            "corpus.path: a recording that this build has read before is not there; let every "
            "machine that works for it find it under the same path",
            str(recording.path),
        )


def _unreadable(path: Path) -> OSError:
    return OSError(errno.EIO, os.strerror(errno.EIO), str(path))


def _headerless(name: str) -> BadAudio:
    """Of a file that only its ending makes audio, as .raw or .vox: its rate would be a guess."""
    return BadAudio(f"'{name}' has no header that says its format and rate. {READABLE}")


def _check_end(path: Path) -> None:
    """Refuse a WAV, AIFF or Ogg file that was cut off; libsndfile reads what is left in silence."""
    with path.open("rb") as file:
        header = file.read(_LONGEST_HEADER)
        file.seek(max(0, path.stat().st_size - _LONGEST_OGG_PAGE))
        tail = file.read() if header[:4] == b"OggS" else b""
    if tail and not _ends_ogg(tail):
        raise BadAudio(
            f"'{path.name}' is cut off: it has no whole last page; get it anew, or, "
            "if it is whole, convert it, as by ffmpeg -i IN OUT.flac"
        )
    stated = _stated_bytes(header)
    if stated is not None and stated > path.stat().st_size + 1:
        raise BadAudio(f"'{path.name}' is cut off: it has {path.stat().st_size} of {stated} bytes")


def _stated_bytes(header: bytes) -> int | None:
    """How long a file says that it is; None where it doesn't."""
    layout = _SIZES.get(header[:4])
    if layout is None or len(header) < struct.calcsize(layout):
        return None
    parts = struct.unpack_from(layout, header)
    # Written to a pipe, the size is unknown and stands as zero or all ones.
    return None if parts[-1] in (0, 0xFFFFFFFF) else sum(parts) + _BESIDE[header[:4]]


def _ends_ogg(tail: bytes) -> bool:
    """Whether the last page of an Ogg file is whole and bears the flag of the end (RFC 3533, 6)."""
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < _OGG_HEADER:
        return False
    parts = page[_OGG_HEADER : _OGG_HEADER + page[26]]
    return bool(page[5] & 4) and len(page) >= _OGG_HEADER + len(parts) + sum(parts)


def _span(
    file: soundfile.SoundFile, recording: Recording, name: str, door: Door
) -> tuple[int, int]:
    """First frame and number of frames that are wanted."""
    rate = int(file.samplerate)
    if file.frames > _UNSAID_FRAMES:
        raise BadAudio(
            f"'{name}' doesn't say how long it is: convert it, as by ffmpeg -i IN OUT.flac"
        )
    if rate < door.lowest_rate_hz:
        raise BadAudio(f"'{name}' has {rate} Hz; door.lowest_rate_hz is {door.lowest_rate_hz}")
    for second in (recording.start_s or 0.0, recording.end_s or 0.0):
        if second > (file.frames + 0.5) / rate:
            raise BadAudio(f"'{name}' ends at {file.frames / rate:.2f} s, before {second:g} s")
    start = round((recording.start_s or 0.0) * rate)
    end = int(file.frames) if recording.end_s is None else round(recording.end_s * rate)
    duration_s = (end - start) / rate
    if duration_s < door.shortest_s:
        raise BadAudio(f"'{name}' lasts {duration_s:.3f} s; door.shortest_s is {door.shortest_s:g}")
    if duration_s > door.longest_s:
        raise BadAudio(f"'{name}' lasts {duration_s:.1f} s; door.longest_s is {door.longest_s:g}")
    values = (end - start) * int(file.channels)
    if values > _MOST_VALUES:
        raise BadAudio(
            f"'{name}' has {values} samples in its {file.channels} channels at {rate} Hz, and at "
            f"most {_MOST_VALUES} are read: mix it down, or bring it to 48000 Hz"
        )
    return start, end - start


def _check_values(samples: np.ndarray, loudest: float, name: str, door: Door) -> None:
    """Refuse a mix that can't be heard or measured; `loudest`: peak of its channels."""
    if not np.isfinite(samples).all():
        raise BadAudio(f"'{name}' has samples that are not finite numbers")
    peak = float(np.abs(samples).max())
    silence = 10 ** (door.silence_db / 20)
    if peak < silence <= loudest:
        raise BadAudio(f"'{name}' has channels that cancel each other out: give one of them alone")
    if peak < silence:
        raise BadAudio(f"'{name}' is silent: its peak is below {door.silence_db:g} dBFS")
    if peak > 10 ** (_LOUDEST_DBFS / 20):
        raise BadAudio(
            f"'{name}' has a peak of {20 * np.log10(peak):.0f} dBFS, and no recording is above "
            f"{_LOUDEST_DBFS:g}: scale its samples to [-1, 1]"
        )


def resample(samples: np.ndarray, rate_in_hz: int, rate_out_hz: int) -> np.ndarray:
    """float32 [T] at one rate to float32 [T'] at another (soxr, high quality)."""
    if rate_in_hz == rate_out_hz:
        return samples
    return np.asarray(soxr.resample(samples, rate_in_hz, rate_out_hz), dtype=np.float32)


def encode_flac(samples: np.ndarray, sampling_rate: int) -> bytes:
    """Float32 [T] in [-1, 1] as 16-bit FLAC; the same samples give the same bytes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sampling_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def decode_flac(data: bytes) -> tuple[np.ndarray, int]:
    """FLAC bytes as float32 [T] and the sampling rate in Hz."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    return samples, int(rate)
