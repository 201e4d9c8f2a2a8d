"""A private Prefect begins with an empty database, and never touches a person's own."""

import sqlite3
from contextlib import closing

import pytest

from flows import settings
from flows.prefect_database import NAME, make_empty_database, place_database


@pytest.fixture
def empty(tmp_path):
    at = tmp_path / "empty.db"
    at.write_bytes(b"as made")
    return at


def test_prefect_makes_it_in_one_file(tmp_path):
    at = tmp_path / "made" / "empty.db"
    make_empty_database(at)
    assert [path.name for path in at.parent.iterdir()] == ["empty.db"]
    with closing(sqlite3.connect(at)) as database:
        assert database.execute("SELECT count(*) FROM flow_run").fetchone() == (0,)
        assert len(database.execute("SELECT version_num FROM alembic_version").fetchall()) == 1


def test_a_new_home_gets_a_copy(tmp_path, empty):
    place_database(tmp_path, empty)
    assert (tmp_path / NAME).read_bytes() == b"as made"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", NAME]


def test_a_home_in_use_stays(tmp_path, empty):
    (tmp_path / NAME).write_bytes(b"in use")
    place_database(tmp_path, empty)
    assert (tmp_path / NAME).read_bytes() == b"in use"


def test_without_one_prefect_makes_its_own(tmp_path):
    place_database(tmp_path, tmp_path / "not made.db")
    assert list(tmp_path.iterdir()) == []


def test_only_the_home_beside_the_work_is_begun(tmp_path, empty, monkeypatch):
    monkeypatch.setattr(settings, "empty_database", lambda: empty)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "own"))
    settings.prepare_prefect(tmp_path / "work")
    assert list((tmp_path / "own").iterdir()) == []
    monkeypatch.delenv("PREFECT_HOME")
    settings.prepare_prefect(tmp_path / "work")
    assert (tmp_path / "work" / ".prefect" / NAME).is_file()
