"""A program of its own that speaks jobs from stdin with espeak-ng and writes PCM to stdout.

espeak-ng is not thread-safe and keeps state between calls, so the same call gives other samples
the second time. This program initialises the library once, with a random seed of its own, and
forks for every job: each starts from the same state, independent of the jobs before it. A crash
or a hang ends the fork alone. Run it as `[sys.executable, "-I", path]`; it imports the standard
library only, and no part of this project.

Protocol. stdin: a JSON line `{"library", "data", "timeout_s"}`, then a JSON line a job: `{"text",
"voice", "rate", "pitch"}`. stdout, a message a job, in order: two little-endian uint32 (bytes of
JSON, bytes of PCM), JSON `{"sampling_rate", "phones": [[symbol, start_s, end_s], ...], "words":
[[place in the text, start_s], ...]}` or `{"error"}`, then int16 PCM.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import struct
import sys
import time
from typing import Any

SYNCHRONOUS = 2
PHONEME_EVENTS, PHONEME_IPA, DONT_EXIT = 0x1, 0x2, 0x8000
RATE, PITCH = 1, 3
CHARS_UTF8 = 1
EVENT_END_OF_LIST, EVENT_WORD, EVENT_PHONEME = 0, 1, 7

RANDOM_SEED = 1
"""Unless told, espeak-ng's noise differs between processes started in different seconds (seen in
the voices of f2 and f3)."""


class EventId(ctypes.Union):
    """`espeak_EVENT.id` of speak_lib.h."""

    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h; `sample` counts from the start of the job."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    ]


Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event)
)


def initialise(library: str, data: str) -> tuple[ctypes.CDLL, int]:
    """Load espeak-ng; returns the library and its sampling rate in Hz."""
    espeak = ctypes.CDLL(library)
    options = PHONEME_EVENTS | PHONEME_IPA | DONT_EXIT
    rate = espeak.espeak_Initialize(SYNCHRONOUS, 0, data.encode(), options)
    if rate <= 0:
        raise RuntimeError(f"espeak-ng could not be initialised with {data} (status {rate})")
    espeak.espeak_ng_SetRandSeed(ctypes.c_long(RANDOM_SEED))
    return espeak, rate


def speak(espeak: ctypes.CDLL, rate_hz: int, job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Speak one job; returns the JSON part of the answer and int16 PCM."""
    pcm, marks, words = bytearray(), [], []

    def collect(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            pcm.extend(ctypes.string_at(samples, 2 * count))
        index = 0
        while events[index].type != EVENT_END_OF_LIST:
            event = events[index]
            if event.type == EVENT_PHONEME:
                marks.append((event.id.string.decode("utf-8", "replace"), event.sample))
            elif event.type == EVENT_WORD:
                words.append((event.text_position - 1, event.sample / rate_hz))
            index += 1
        return 0

    callback = Callback(collect)
    espeak.espeak_SetSynthCallback(callback)
    if espeak.espeak_SetVoiceByName(job["voice"].encode()) != 0:
        return {"error": f"espeak-ng has no voice {job['voice']!r}"}, b""
    espeak.espeak_SetParameter(RATE, job["rate"], 0)
    espeak.espeak_SetParameter(PITCH, job["pitch"], 0)
    text = job["text"].encode()
    status = espeak.espeak_Synth(text, len(text) + 1, 0, 0, 0, CHARS_UTF8, None, None)
    if status != 0:
        return {"error": f"espeak-ng refused the text (status {status})"}, b""
    ends = [start for _, start in marks[1:]] + [len(pcm) // 2]
    phones = [
        (symbol, start / rate_hz, end / rate_hz)
        for (symbol, start), end in zip(marks, ends, strict=False)
        if symbol and end > start
    ]
    return {"sampling_rate": rate_hz, "phones": phones, "words": words}, bytes(pcm)


def pack(answer: dict[str, Any], pcm: bytes = b"") -> bytes:
    """One message of the protocol."""
    body = json.dumps(answer).encode()
    return struct.pack("<II", len(body), len(pcm)) + body + pcm


def fork_and_speak(espeak: ctypes.CDLL, rate_hz: int, job: dict[str, Any]) -> tuple[int, int]:
    """Fork a process that speaks the job; returns its id and the pipe its message comes from."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    status = 1
    try:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(pack(*speak(espeak, rate_hz, job)))
        status = 0
    finally:
        os._exit(status)


def read_until(reader: int, deadline: float) -> bytes | None:
    """All bytes up to the end of the pipe, or None when `time.monotonic()` passes the deadline."""
    parts: list[bytes] = []
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        part = os.read(reader, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)


def answer(espeak: ctypes.CDLL, rate_hz: int, job: dict[str, Any], timeout_s: float) -> bytes:
    """The message for one job: its speech, or the error that ended its process."""
    child, reader = fork_and_speak(espeak, rate_hz, job)
    message = read_until(reader, time.monotonic() + timeout_s)
    os.close(reader)
    if message is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if message is None:
        return pack({"error": f"espeak-ng did not finish within {timeout_s:g} s"})
    if status != 0:
        return pack({"error": f"espeak-ng crashed (wait status {status})"})
    return message


def main() -> None:
    """Serve the jobs on stdin until it ends."""
    header = json.loads(sys.stdin.readline())
    espeak, rate_hz = initialise(header["library"], header["data"])
    for line in sys.stdin:
        sys.stdout.buffer.write(answer(espeak, rate_hz, json.loads(line), header["timeout_s"]))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
