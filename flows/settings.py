"""How Prefect is set up for a command that runs by itself: quiet, private, and beside the work."""

from __future__ import annotations

import atexit
import os
import subprocess
from functools import cache
from pathlib import Path

from flows.prefect_database import begin_home, empty_database

_SERVICES = (
    "CANCELLATION_CLEANUP",
    "CLEANUP_RECONCILER",
    "EVENT_PERSISTER",
    "FOREMAN",
    "LATE_RUNS",
    "PAUSE_EXPIRATIONS",
    "REPOSSESSOR",
    "SCHEDULER",
    "TASK_RUN_RECORDER",
    "TRIGGERS",
)
"""Of Prefect's server: for deployments, schedules, automations and a history to browse. A server
that lives as long as one command has none of them, and they cost more than its flows; set
`PREFECT_API_URL` to report to a server that has."""


def prepare_prefect(work: Path) -> None:
    """Set Prefect's environment where the person hasn't; call it before Prefect is imported.

    Raises:
        OSError: its home can't be made.
    """
    own = (work / ".prefect").resolve()
    defaults = {
        "PREFECT_HOME": str(own),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        # A busy machine takes its time to start the server.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    defaults |= {f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in _SERVICES}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Its server waits in silence for a database that it can't open in a folder that isn't there.
    home = Path(os.environ["PREFECT_HOME"])
    if home == own:
        begin_home(home, empty_database())
    else:
        home.mkdir(parents=True, exist_ok=True)


def guard_server() -> None:
    """See to it that Prefect's temporary server ends with this process, however that ends.

    Prefect stops it on a normal exit only; after a kill it would run on for ever. It outlives the
    flow that started it, and so does its guard.
    """
    from prefect.server.api.server import SubprocessASGIServer

    for server in SubprocessASGIServer._instances.values():
        if server.server_process is not None:
            _guard(server.server_process.pid)


@cache  # one for a server, whatever flows run on it
def _guard(pid: int) -> None:
    """Let a shell wait for the end of a pipe that only this process holds, then end a server."""
    guard = subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; kill "$0" 2>/dev/null', str(pid)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is not for it
    )
    # On a normal exit before Prefect's own stop: after that the number may be another process's.
    atexit.register(guard.communicate)
