"""Prefect's server for one command: it ends with the command, however and whenever that ends.

Prefect would start one by itself and stop it on a normal exit only. This one holds the end of a
pipe whose other end is the command's alone, from its first moment on. Its database lies in a
temporary folder, which goes with it: a work store that is full must not silence who would say so.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from flows.full_disk import full_disk_named, is_nearly_full, no_space
from flows.interrupts import interrupts_wait
from flows.prefect_database import NAME, empty_database

if TYPE_CHECKING:
    from fastapi import FastAPI

_HOST = "127.0.0.1"
_ERRORS = "errors.txt"
_START_S = 120
"""A busy machine takes its time to start the server."""


def start_server() -> None:
    """Start a server for this process and let Prefect know; not if it knows of one already.

    Raises:
        OSError: it did not start, with the reason.
    """
    from prefect.context import refresh_global_settings_context
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return
    home = make_home(empty_database())
    server, port = _start(home)
    # On a normal exit the end of the pipe is shown too, and waited for.
    atexit.register(server.communicate)
    try:
        _wait(port)
    except (OSError, HTTPException) as error:
        server.kill()
        server.wait()
        raise _not_started(home) from error
    # The global settings, as each thread has its own; not for what this process starts.
    os.environ["PREFECT_API_URL"] = f"http://{_HOST}:{port}/api"
    refresh_global_settings_context()
    del os.environ["PREFECT_API_URL"]
    # It may say at the end of a failed build that it still sends what this server doesn't keep.
    logging.getLogger("EventsWorker").setLevel(logging.CRITICAL)


def create_app() -> FastAPI:
    """What uvicorn serves, in the server's process, where the pipe is the standard input."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from prefect.server.api.server import create_app

    return create_app(ephemeral=True, final=True)


def make_home(empty: Path) -> Path:
    """Make a temporary folder for a server, with the empty database in it if there is one.

    Raises:
        OSError: it can't be made; nothing of it stays.
    """
    with full_disk_named(tempfile.gettempdir()):
        home = Path(tempfile.mkdtemp(prefix="m5ser-prefect-"))
        try:
            if empty.is_file():
                (home / NAME).write_bytes(empty.read_bytes())
        except OSError:
            shutil.rmtree(home, ignore_errors=True)
            raise
    return home


def _start(home: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server on a port that is free because this process has it until then."""
    here = Path(__file__).parents[1]
    with socket.create_server((_HOST, 0)) as listening, (home / _ERRORS).open("wb") as errors:
        # uvicorn doesn't ask for it where it gets a socket that it has not made.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = listening.fileno()
        with interrupts_wait():  # Ctrl-C is for the parent, with which it ends
            server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "uvicorn", "--fd", str(fd), "--app-dir", str(here)),
                    *("--factory", f"{__name__}:{create_app.__name__}"),
                    *("--log-level", "error", "--lifespan", "on"),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[fd],
                env={**os.environ, "PREFECT_HOME": str(home)},
            )
        return server, listening.getsockname()[1]


def _wait(port: int) -> None:
    """Wait for the first answer, which needs no second question: the port has listened before.

    Raises:
        OSError: the server has ended, or is silent.
        HTTPException: the same.
    """
    connection = HTTPConnection(_HOST, port, timeout=_START_S)
    connection.request("GET", "/api/health")
    connection.getresponse().read()
    connection.close()


def _not_started(home: Path) -> OSError:
    """Why a server did not start, by its own last words; its folder goes."""
    if is_nearly_full(home):
        error = no_space(home.parent)
    else:
        words = (home / _ERRORS).read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(words) if line.strip()), "it gave no reason")
        error = OSError(f"Prefect's server did not start: {last}")
    shutil.rmtree(home, ignore_errors=True)
    return error


def _end_with_parent() -> None:
    """End this process once nobody holds the other end of its standard input, and clear up."""
    # Not through sys.stdin, whose lock would be in the way of a normal end.
    os.read(0, 1)
    shutil.rmtree(os.environ["PREFECT_HOME"], ignore_errors=True)
    os._exit(0)
