"""How Prefect is set up for a command that runs by itself: quiet, private, and beside the work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def prepare_prefect(work: Path) -> None:
    """Set Prefect's environment where the person hasn't; call it before Prefect is imported."""
    defaults = {
        "PREFECT_HOME": str((work / ".prefect").resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        # A busy machine takes its time to start the server.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Its server waits in silence for a database that it can't open in a folder that isn't there.
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)


@contextmanager
def guarded_server() -> Iterator[None]:
    """See to it that Prefect's temporary server ends with this process, however that ends.

    Prefect stops it on a normal exit; after a kill it would run on for ever. A shell waits for the
    end of a pipe that only this process holds, and then ends the server.
    """
    from prefect.server.api.server import SubprocessASGIServer

    servers = [server.server_process for server in SubprocessASGIServer._instances.values()]
    pids = [str(process.pid) for process in servers if process is not None]
    if not pids:
        yield
        return
    guard = subprocess.Popen(
        ["/bin/sh", "-c", 'read -r stopped || kill "$@" 2>/dev/null', "guard", *pids],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is not for it
    )
    try:
        yield
    finally:
        guard.communicate(b"stopped\n")
