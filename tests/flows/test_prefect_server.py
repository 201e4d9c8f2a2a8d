"""Prefect's server of a command: its own, away from the work store, and gone with the command."""

import errno
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from flows import prefect_settings
from flows.full_disk import full_disk_sentence
from flows.prefect_database import NAME
from flows.prefect_server import make_home, start_server


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def empty(tmp_path):
    at = tmp_path / "empty.db"
    at.write_bytes(b"as made")
    return at


def python(code):
    """Run code in a process of its own, as the beginning of a command."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )


def test_its_home_has_a_copy_of_the_empty_database(temporary, empty):
    home = make_home(empty)
    assert home.parent == temporary
    assert (home / NAME).read_bytes() == b"as made"


def test_without_one_prefect_makes_its_own(temporary, tmp_path):
    assert list(make_home(tmp_path / "not made.db").iterdir()) == []


def test_a_full_temporary_folder_is_named_and_left_empty(temporary, empty, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left") as caught:
        make_home(empty)
    assert f"the disk of '{temporary}' is full: free some" in full_disk_sentence(caught.value)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("later_s", [0, 0.5])
def test_a_kill_while_it_starts_ends_it_and_leaves_nothing(temporary, later_s):
    killed = python(
        "import os, time\n"
        "from flows import prefect_server as own\n"
        "server, port = own._start(own.make_home(own.empty_database()))\n"
        "print(server.pid, flush=True)\n"
        f"time.sleep({later_s})\n"
        "os.kill(os.getpid(), 9)"
    )
    server = int(killed.stdout)
    deadline = time.monotonic() + 60
    while psutil.pid_exists(server) and psutil.Process(server).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "it runs on"
        time.sleep(0.05)
    assert list(temporary.iterdir()) == []


def test_it_answers_this_process_alone_and_a_normal_end_leaves_nothing(temporary):
    ended = python(
        "import os\n"
        "from flows.prefect_server import start_server\n"
        "start_server()\n"
        "from prefect.client.orchestration import get_client\n"
        "print(get_client(sync_client=True).hello().status_code, 'PREFECT_API_URL' in os.environ)"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "200 False\n", "")
    assert list(temporary.iterdir()) == []


def test_one_that_does_not_start_says_why(temporary, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "sqlite+aiosqlite:////no/such.db")
    failed = python("from flows.prefect_server import start_server\nstart_server()")
    assert "OSError: Prefect's server did not start: " in failed.stderr.splitlines()[-1]
    assert list(temporary.iterdir()) == []


def test_a_server_of_the_person_is_the_only_one(temporary):
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: "http://cluster.example/api"}):
        start_server()
    assert list(temporary.iterdir()) == []


def test_a_home_of_the_person_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "own"))
    prefect_settings.prepare_prefect(tmp_path / "work")
    assert list((tmp_path / "own").iterdir()) == []
    assert not (tmp_path / "work").exists()
