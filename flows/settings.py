"""How Prefect is set up for a command that runs by itself: quiet, private, and beside the work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
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
