"""A program that is asked one line of JSON at a time, and started anew when it dies."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

_LOADING = 10.0
"""The first answer may take so many times longer: the program loads its model."""
_LAST_WORDS = 400
"""Bytes of standard error in which the last line is looked for."""


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
            NoAnswer: it ends, is too slow, or writes no JSON object; it is started anew for the
                next question.
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
    said = tempfile.TemporaryFile()  # noqa: SIM115, closed with the process
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        said.close()
        raise NoProgram(f"'{name}' can't be started: {error.strerror}") from error
    return _Running(process, said, name)


class _Running:
    """The program while it runs; `stop` ends it, as does the end of this object."""

    def __init__(self, process: subprocess.Popen[str], said: IO[bytes], name: str) -> None:
        self._process, self._said, self._name = process, said, name
        self._ears = cast(IO[str], process.stdin)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.stop = weakref.finalize(self, _end, process, said)
        threading.Thread(target=_pass_on, args=(process.stdout, self._lines), daemon=True).start()

    def exchange(self, question: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """The answer to a question; see `Conversation.ask`."""
        name = self._name
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

    def _ended(self, timeout_s: float) -> str:
        """How the program came to say nothing more."""
        try:
            return f"ended with status {self._process.wait(timeout=timeout_s)}"
        except subprocess.TimeoutExpired:
            return "closed its standard output, where answers are written"

    def _last_words(self) -> str:
        """The last line of its standard error, for a sentence."""
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - _LAST_WORDS))
        lines = self._said.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f": {said[-1]}" if said else ""


def _object(name: str, line: str) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise NoAnswer(f"'{name}' answered {line.strip()[:60]!r}, which is no JSON object")
    return answer


def _pass_on(stdout: IO[str], lines: queue.SimpleQueue[str]) -> None:
    """Every line, and an empty one for the end."""
    for line in stdout:
        lines.put(line)
    lines.put("")


def _end(process: subprocess.Popen[str], said: IO[bytes]) -> None:
    """End the program and all that it started, also where it has ended and left that behind."""
    # Of a group without anybody there is none to kill, and macOS gives no leave to.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, said):
        if pipe is not None:
            with suppress(OSError):  # what a program that is gone was still to read
                pipe.close()
