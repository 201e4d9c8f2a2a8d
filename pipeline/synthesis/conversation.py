"""A program that is asked one line of JSON at a time, and started anew when it dies."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, cast

from pipeline.plain import one_line

_LOADING = 10.0
"""The first answer may take so many times longer: the program loads its model."""
_LAST_WORDS = 400
"""Bytes of standard error in which the last line is looked for."""
_LONGEST_ANSWER = 100_000
"""Characters of a line, so that one without an end can't fill the memory."""
_UNASKED = 4
"""Lines that may wait to be seen as too many; what else the program writes stays in its pipe."""
_DYING_S = 1.0
"""How long the last words of a program that has ended are waited for."""


class NoAnswer(Exception):
    """The program gave no answer, and why, in one sentence."""


class NoProgram(NoAnswer):
    """It can't be started on this machine, or kept silent there from the start."""


class _Silent(NoAnswer):
    """It did not answer in time."""


class Conversation:
    """Questions to a program and its answers, in turn.

    The program runs in a session of its own and ends with this object; a kill of this process
    closes its standard input, at whose end it is to end by itself.
    """

    def __init__(self, command: Sequence[str], timeout_s: float) -> None:
        self._command = list(command)
        self._timeout_s = timeout_s
        self._running: _Running | None = None
        self.has_answered = False
        """Whether it ever did, which says that the machine has what it needs."""

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question.

        Raises:
            NoProgram: the program can't be started, or is too slow before it has ever answered.
            NoAnswer: it ends, is too slow, writes no JSON object, or has answered the last question
                more than once; it is started anew for the next question.
        """
        timeout_s = self._timeout_s
        if self._running is None:
            self._running = _start(self._command, Path(self._command[0]).name)
            timeout_s *= _LOADING
        try:
            answer = self._running.exchange(question, timeout_s)
        except NoAnswer as error:
            ended, self._running = self._running, None
            ended.stop()
            if isinstance(error, _Silent) and not self.has_answered:
                raise NoProgram(str(error)) from error
            raise
        self.has_answered = True
        return answer


def _start(command: list[str], name: str) -> _Running:
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise NoProgram(f"'{name}' can't be started: {error.strerror}") from error
    return _Running(process, name)


class _Running:
    """The program while it runs; `stop` ends it, as does the end of this object."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process, self._name = process, name
        self._ears = cast(IO[str], process.stdin)
        self._lines: queue.Queue[str] = queue.Queue(_UNASKED)
        self._said = bytearray()
        self.stop = weakref.finalize(self, _end, process)
        _listen(_pass_on, process.stdout, self._lines)
        self._hearing = _listen(_keep_last, process.stderr, self._said)

    def exchange(self, question: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """The answer to a question; see `Conversation.ask`."""
        name = self._name
        self._refuse_unasked()
        try:
            self._ears.write(json.dumps(question) + "\n")
            self._ears.flush()
            line = self._lines.get(timeout=timeout_s)
        except BrokenPipeError as error:
            raise NoAnswer(f"'{name}' has ended{self._last_words()}") from error
        except queue.Empty as error:
            why = f"did not answer within {timeout_s:g} s"
            raise _Silent(f"'{name}' {why}{self._last_words()}") from error
        if not line:
            raise NoAnswer(f"'{name}' {self._ended(timeout_s)}{self._last_words()}")
        return _object(name, line)

    def _refuse_unasked(self) -> None:
        """Let no line that was left over be the answer to what is asked next.

        Raises:
            NoAnswer: there is one.
        """
        with suppress(queue.Empty):
            if line := self._lines.get_nowait():
                raise NoAnswer(
                    f"'{self._name}' wrote {_shown(line)} after its answer: it answers a question "
                    "by one line, and says all else to standard error"
                )
            self._lines.put("")

    def _ended(self, timeout_s: float) -> str:
        """How the program came to say nothing more."""
        try:
            return f"ended with status {self._process.wait(timeout=timeout_s)}"
        except subprocess.TimeoutExpired:
            return "closed its standard output, where answers are written"

    def _last_words(self) -> str:
        """The last line of its standard error, for a sentence."""
        if self._process.poll() is not None:
            self._hearing.join(_DYING_S)
        lines = bytes(self._said).decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f": {one_line(said[-1])}" if said else ""


def _object(name: str, line: str) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise NoAnswer(
            f"'{name}' answered {_shown(line)}, which is no JSON object; what else it has to say "
            "goes to standard error"
        )
    return answer


def _shown(line: str) -> str:
    return repr(line.strip()[:60])


def _listen(hear: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=hear, args=arguments, daemon=True)
    thread.start()
    return thread


def _pass_on(stdout: IO[str], lines: queue.Queue[str]) -> None:
    """Every line, and an empty one for the end; what is more than anybody asked for is left."""
    with suppress(queue.Full):
        while line := stdout.readline(_LONGEST_ANSWER):
            lines.put_nowait(line)
        lines.put_nowait("")


def _keep_last(stderr: TextIOWrapper, said: bytearray) -> None:
    """The last of what is written to a pipe, as bytes: nobody waits for the end of a line."""
    while part := os.read(stderr.fileno(), 1 << 16):
        said[:] = (said + part)[-_LAST_WORDS:]


def _end(process: subprocess.Popen[str]) -> None:
    """End the program and all that it started, also where it has ended and left that behind."""
    # Of a group without anybody there is none to kill, and macOS gives no leave to.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        with suppress(OSError):  # what a program that is gone was still to read
            process.stdin.close()
