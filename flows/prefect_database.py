"""Prefect's database as it is when empty, made once with the environment and copied by each server.

    python -m flows.prefect_database

Its migrations are a quarter of a minute of one core; without the copy every build runs
them. A copy of an older Prefect is migrated from where it stands.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

NAME = "prefect.db"
"""Prefect's own name for it, in its home."""


def empty_database() -> Path:
    """Where the empty database of this Python environment lies, if it was made."""
    return Path(sys.prefix, "share", "m5ser", NAME)


def make_empty_database(at: Path) -> None:
    """Let Prefect make its database, and put it there in one file.

    Raises:
        subprocess.CalledProcessError: Prefect could not.
    """
    at.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=at.parent) as folder:
        made = Path(folder, NAME)
        address = f"sqlite+aiosqlite:///{made}"
        subprocess.run(
            [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"],
            env={
                **os.environ,
                "PREFECT_HOME": folder,
                "PREFECT_SERVER_DATABASE_CONNECTION_URL": address,
            },
            check=True,
            stdout=subprocess.DEVNULL,
        )
        whole = Path(folder, "whole.db")
        with closing(sqlite3.connect(made)) as database:
            database.execute("VACUUM INTO ?", [str(whole)])  # what lies in its journal too
        whole.replace(at)


if __name__ == "__main__":
    make_empty_database(empty_database())
