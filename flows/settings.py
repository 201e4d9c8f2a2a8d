"""How Prefect is set up for a command that runs by itself: quiet, private, and beside the work."""

from __future__ import annotations

import os
from pathlib import Path


def prepare_prefect(work: Path) -> None:
    """Set Prefect's environment where the person hasn't; call it before Prefect is imported."""
    defaults = {
        "PREFECT_HOME": str((work / ".prefect").resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        # A busy machine takes its time to start the server.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Its server waits in silence for a database that it can't open in a folder that isn't there.
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
