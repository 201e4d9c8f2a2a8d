"""What a person sees while the work goes on: a line a stage, with its speed and the time left."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn

from flows.price import Total, Worked

_LOG_EVERY_S = 10.0
_TRANSFER_EVERY_S = 30.0


class NowAndThen:
    """Bytes of a transfer as a line: at the start, every tenth of them or half minute, at the end.

    For output that is no terminal, where a live bar shows nothing.
    """

    def __init__(self, what: str, console: Console) -> None:
        self._what, self._console = what, console
        self._tenth, self._logged = -1, 0.0

    def __call__(self, done: int, total: int) -> None:
        """Tell of `done` of `total` bytes, if it is time to."""
        tenth, now = 10 * done // max(1, total), time.monotonic()
        if tenth == self._tenth and now - self._logged < _TRANSFER_EVERY_S:
            return
        self._tenth, self._logged = tenth, now
        self._console.print(f"{self._what} {done / 1e6:.1f} of {total / 1e6:.1f} MB", markup=False)


class StageProgress:
    """Progress of each stage; on a terminal as live bars, elsewhere as a line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:>5.0f}/{task.total:.0f} batches"),
            TextColumn("{task.fields[rows]:>6} rows"),
            TextColumn("{task.fields[failed]:>4} failed"),
            TextColumn("{task.fields[speed]:>7}"),
            TimeElapsedColumn(),
            TimeLeftColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._stages: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._speech_s: dict[str, float] = {}
        self.totals: defaultdict[str, Total] = defaultdict(Total)
        self.halved: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._logged = 0.0

    @contextmanager
    def running(self) -> Iterator[StageProgress]:
        """Show the bars while the block runs."""
        with self._bars:
            yield self

    def expect(self, stage: str, batches: int, cached: int) -> None:
        """Announce a stage: batches in all, and those that an earlier run has done."""
        with self._lock:
            self._stages[stage] = self._bars.add_task(
                stage, total=batches, completed=cached, rows=0, failed=0, speed=""
            )
            self._started[stage] = time.monotonic()
            self._speech_s[stage] = 0.0
        if cached and not self._console.is_terminal:
            self._console.print(f"{stage}: {cached} of {batches} batches were done before")

    def advance(self, stage: str, worked: Worked) -> None:
        """Count a finished batch."""
        tally = worked.tally
        with self._lock:
            self.totals[stage].add(worked)
            self.halved[stage] += tally.halved
            bar = self._bars.tasks[self._stages[stage]]
            self._speech_s[stage] += tally.speech_s
            elapsed_s = max(1e-3, time.monotonic() - self._started[stage])
            self._bars.update(
                bar.id,
                advance=1,
                rows=bar.fields["rows"] + tally.rows,
                failed=bar.fields["failed"] + tally.failed,
                speed=f"{self._speech_s[stage] / elapsed_s:.1f}x" if tally.speech_s else "",
            )
            self._log_now_and_then()

    def _log_now_and_then(self) -> None:
        now = time.monotonic()
        if self._console.is_terminal or now - self._logged < _LOG_EVERY_S:
            return
        self._logged = now
        states = [
            f"{bar.description} {bar.completed:.0f}/{bar.total:.0f} {bar.fields['speed']}".strip()
            for bar in self._bars.tasks
        ]
        self._console.print(", ".join(states))
