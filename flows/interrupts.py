"""When Ctrl-C is heard."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Hear Ctrl-C only once the block is left; processes that start within it never do.

    For imports, in which a package may make another error of it, and for workers, which import for
    seconds before the first line that could make them deaf.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
