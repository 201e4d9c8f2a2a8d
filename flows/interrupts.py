"""When Ctrl-C is heard, and SIGTERM, by which a cluster's scheduler ends a job, as the same."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

STOPPED, EXIT_CODE = "stopped; the same command goes on from here", 130
_STOPS = {signal.SIGINT, signal.SIGTERM}
_STDERR = 2
_SHOW_CURSOR = "\x1b[?25h"
"""For what a progress bar hides, as terminals know it."""


def hear_termination() -> None:
    """Take SIGTERM for Ctrl-C from now on, where this thread may: a KeyboardInterrupt."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Hear either only once the block is left; processes that start within it never do.

    For imports, in which a package may make another error of it, and for workers, which import for
    seconds before the first line that could make them deaf.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def termination_heard_by(handler: Any) -> Iterator[None]:
    """Let a handler, from `signal.getsignal`, hear SIGTERM in the block.

    For the body of a Prefect flow, which takes SIGTERM for its length and reports before it ends.
    """
    if handler is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, taken)


@contextmanager
def stopping_at_once() -> Iterator[None]:
    """End this process at once when it is stopped in the block, as a kill would, with a sentence.

    Prefect would report the end of its flow to its server, for minutes where the same Ctrl-C has
    ended that one. What was done is on disk, and workers and server end with their parent.
    """

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        # Past Python's buffers, into which this very thread may be writing.
        os.write(_STDERR, f"{_SHOW_CURSOR if os.isatty(_STDERR) else ''}\n{STOPPED}\n".encode())
        os._exit(EXIT_CODE)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, stop) for one in _STOPS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
