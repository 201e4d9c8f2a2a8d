"""A private Prefect begins with an empty database, and never touches a person's own."""

import errno
import shutil
import sqlite3
from contextlib import closing

import pytest

from flows import settings
from flows.prefect_database import NAME, begin_home, make_empty_database


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
    begin_home(tmp_path / "work" / "home", empty)
    assert (tmp_path / "work" / "home" / NAME).read_bytes() == b"as made"
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["home"]


def test_a_home_in_use_stays(tmp_path, empty):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / NAME).write_bytes(b"in use")
    begin_home(tmp_path / "home", empty)
    assert (tmp_path / "home" / NAME).read_bytes() == b"in use"


def test_of_two_that_begin_at_once_the_first_stays(tmp_path, empty, monkeypatch):
    home = tmp_path / "home"

    def while_another_begins(source, target):
        home.mkdir()
        (home / NAME).write_bytes(b"in use")
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr(shutil, "copyfile", while_another_begins)
    begin_home(home, empty)
    assert (home / NAME).read_bytes() == b"in use"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "home"]


def test_without_one_prefect_makes_its_own(tmp_path):
    begin_home(tmp_path / "home", tmp_path / "not made.db")
    assert list((tmp_path / "home").iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path, empty, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        begin_home(tmp_path / "home", empty)
    assert [path.name for path in tmp_path.iterdir()] == ["empty.db"]


def test_only_the_home_beside_the_work_is_begun(tmp_path, empty, monkeypatch):
    monkeypatch.setattr(settings, "empty_database", lambda: empty)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "own"))
    settings.prepare_prefect(tmp_path / "work")
    assert list((tmp_path / "own").iterdir()) == []
    monkeypatch.delenv("PREFECT_HOME")
    settings.prepare_prefect(tmp_path / "work")
    assert (tmp_path / "work" / ".prefect" / NAME).is_file()
