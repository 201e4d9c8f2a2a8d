"""How Prefect is set up for a command that runs by itself: quiet, private, and beside the work."""

from __future__ import annotations

import os
from pathlib import Path

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
    defaults = {
        "PREFECT_HOME": str((work / ".prefect").resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        # flows.prefect_server starts it: Prefect's own would outlive a kill.
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        # They are for results and storage that Prefect keeps: no flow here has any.
        "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
    }
    defaults |= {f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in _SERVICES}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Prefect looks there for a person's settings, and warns if there is no such folder.
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
