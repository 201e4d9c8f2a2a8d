"""Prefect's empty database is made once, in one file."""

import sqlite3
from contextlib import closing

from flows.prefect_database import make_empty_database


def test_prefect_makes_it_in_one_file(tmp_path):
    at = tmp_path / "made" / "empty.db"
    make_empty_database(at)
    assert [path.name for path in at.parent.iterdir()] == ["empty.db"]
    with closing(sqlite3.connect(at)) as database:
        assert database.execute("SELECT count(*) FROM flow_run").fetchone() == (0,)
        assert len(database.execute("SELECT version_num FROM alembic_version").fetchall()) == 1
