"""Clips on disk, in one flat file a part: encoder frames or audio, at random access.

Parquet is made for reading through. What training reads in random order is written once beside the
table of its rows, so that memory holds a few numbers a clip, whatever the size of the set.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import soundfile

from model.data.drafts import ITEMS, TABLE, unfinished
from model.data.rows import Part, Row
from model.network.encoder import SAMPLING_RATE, SHORTEST_SAMPLES, FrozenEncoder
from pipeline.audio import READABLE, encode_flac, resample
from pipeline.engine import digest, release
from pipeline.errors import InputError

_BATCH = 16
"""Clips that are encoded together; a part goes on behind a whole batch, so each has its own."""
_VERSION = 1
"""Raise it when the same rows give other items."""
_WHEELS = ("soundfile", "soxr")
"""Packages that read and resample the audio."""


class UnusableAudio(ValueError):
    """A clip that can't be trained on, and why."""


@dataclass(frozen=True)
class ClipPart:
    """A part that lies ready: its table of rows, and the flat file of what they hold."""

    table: pa.Table
    items: Path


def prepare(
    parts: Sequence[tuple[Part, float]],
    folder: Path,
    encoder: FrozenEncoder,
    cache_frames: bool,
    longest_s: float,
) -> list[ClipPart]:
    """Parts, each played at a speed, from `folder`; what is missing there is written first.

    Processes that need the same parts share them: each writes what no other one is writing, and
    then waits for the rest. Rows whose audio is unusable are kept in the table, with the reason and
    without an item.

    Raises:
        OSError: one can't be written; the next call goes on behind what was.
        InputError: one is damaged, as a power cut or a copy that broke off leaves it.
    """
    kind = encoder.fingerprint if cache_frames else "audio"
    own = encoder if cache_frames else None
    made_by = [_VERSION, *map(release, _WHEELS), kind, longest_s]
    places = [folder / digest(part.key, made_by, speed)[:32] for part, speed in parts]
    for wait in (False, True):
        for (part, speed), place in zip(parts, places, strict=True):
            if not (place / TABLE).is_file():
                _write(part, place, own, longest_s, speed, wait)
    return [_whole(place) for place in places]


def _whole(place: Path) -> ClipPart:
    """A part that lies ready, with every item that its table names.

    Raises:
        InputError: it lacks some, or its table can't be read.
    """
    damaged = InputError(
        f"--work: '{place}' is damaged: remove it, and the same command makes it anew"
    )
    try:
        table = pq.read_table(place / TABLE, memory_map=True)
    except (pa.ArrowException, OSError) as error:
        # What the file system can't read has a number; what pyarrow can't make out, none.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise damaged from error
    items = place / ITEMS
    end = pc.max(pc.add(table["start"], table["size"])).as_py() or 0
    if not items.is_file() or items.stat().st_size < end:
        raise damaged
    return ClipPart(table, items)


def read_audio(data: bytes, longest_s: float | None, speed: float = 1.0) -> np.ndarray:
    """Encoded audio as mono float32 [T] at 16 kHz, at most so long (none: all), played at a speed.

    Raises:
        UnusableAudio: unreadable, shorter than 10 ms, or not finite.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate = int(file.samplerate)
            most = -1 if longest_s is None else int(longest_s * speed * rate)
            samples = file.read(most, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UnusableAudio(f"can't be decoded: {error.error_string} {READABLE}") from error
    except TypeError as error:
        raise UnusableAudio(f"can't be decoded: {error}") from error
    played = round(rate * speed)
    mono = resample(samples.mean(axis=1), played, SAMPLING_RATE) if len(samples) else samples[:, 0]
    if len(mono) < SHORTEST_SAMPLES:
        raise UnusableAudio(f"lasts {1000 * len(samples) / rate:.0f} ms; 10 is the least")
    if not np.isfinite(mono).all():
        raise UnusableAudio("holds samples that are not finite numbers")
    return mono


def _write(
    part: Part,
    place: Path,
    encoder: FrozenEncoder | None,
    longest_s: float,
    speed: float,
    wait: bool,
) -> None:
    with unfinished(place, wait) as draft:
        if draft is None:
            return
        for batch in _batches(islice(part.rows(), draft.rows, None)):
            draft.keep(_write_batch(batch, draft.items, encoder, longest_s, speed))
        draft.finish()


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _write_batch(
    rows: Sequence[Row],
    items: BinaryIO,
    encoder: FrozenEncoder | None,
    longest_s: float,
    speed: float,
) -> list[dict[str, Any]]:
    clips: list[np.ndarray] = []
    reasons: list[str | None] = []
    for row in rows:
        try:
            clips.append(_usable_audio(row, longest_s, speed))
            reasons.append(None)
        except UnusableAudio as error:
            reasons.append(str(error))
    held = iter(_items(clips, encoder))
    described = []
    for row, reason in zip(rows, reasons, strict=True):
        start = items.tell()
        if reason is None:
            items.write(next(held))
        about = asdict(row)
        del about["audio"]
        if speed != 1.0:
            about["name"] += f"*{speed:g}"
            about["speaker"] += f"*{speed:g}" if row.speaker else ""
        span = {"start": start, "size": items.tell() - start, "unusable": reason}
        described.append({**about, **span})
    return described


def _usable_audio(row: Row, longest_s: float, speed: float) -> np.ndarray:
    if row.unusable:
        raise UnusableAudio(row.unusable)
    return read_audio(row.audio, longest_s, speed)


def _items(clips: Sequence[np.ndarray], encoder: FrozenEncoder | None) -> list[bytes]:
    if encoder is None:
        return [encode_flac(clip, SAMPLING_RATE) for clip in clips]
    return [frames.tobytes() for frames in encoder.encode(clips)] if clips else []
