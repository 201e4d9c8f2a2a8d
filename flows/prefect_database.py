"""Prefect's database as it is when empty, made once with the environment and copied by each store.

    python -m flows.prefect_database

Its migrations are a quarter of a minute of one core; without the copy the first build on a work
store runs them. A copy of an older Prefect is migrated from where it stands.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import uuid
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


def begin_home(home: Path, empty: Path) -> None:
    """Make Prefect's home, with the empty database in it if there is one; one in use stays.

    It is made beside its place and moved: two builds may begin at once, and the first one's stays.

    Raises:
        OSError: it can't be made; nothing of it stays.
    """
    if home.is_dir():
        return
    begun = home.with_name(f"{home.name}.{uuid.uuid4().hex}")
    try:
        begun.mkdir(parents=True)
        if empty.is_file():
            shutil.copyfile(empty, begun / NAME)
        begun.rename(home)
    except OSError:
        shutil.rmtree(begun, ignore_errors=True)
        if not home.is_dir():
            raise


if __name__ == "__main__":
    make_empty_database(empty_database())
