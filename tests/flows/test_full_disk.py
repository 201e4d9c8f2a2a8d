"""A full disk: a clear message, exit code 1, nothing half-written, and the next build goes on."""

import errno
import os
import shutil
import subprocess
import tempfile

import pytest

from flows import full_disk
from flows.full_disk import full_disk_named, full_disk_sentence


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if (
        not mounted
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)], check=False
        ).returncode
    ):
        pytest.skip("mounting a small tmpfs needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def grow(disk):
    subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)


def error_of(workbench, *arguments, **environment):
    """What a build in a process of its own says where it ends with an error."""
    done = subprocess.run(
        workbench.process(*arguments),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("error: ") == 1
    return done.stderr.splitlines()[-1]


def sentence(folder):
    return (
        f"error: No space left on device: the disk of '{folder}' is full: "
        "free some space there; the same command goes on from here"
    )


def test_a_disk_too_small_for_the_set_leaves_the_old_one(workbench, small_disk):
    out = small_disk / "out"
    error = workbench.build("--out", str(out), code=1)["error"]
    assert error.splitlines()[-1] == sentence(small_disk)
    assert list(small_disk.iterdir()) == []
    grow(small_disk)
    assert workbench.build("--out", str(out))["kept"] == 8


def test_a_full_work_store_is_said_and_survived(workbench, small_disk):
    work = small_disk / "work"
    work.mkdir()
    assert error_of(workbench, "--work", str(work)) == sentence(work)
    assert not workbench.out.exists()
    assert list(work.rglob("*.parquet"))
    assert not list(work.rglob("*.tmp"))
    grow(small_disk)
    assert workbench.build("--work", str(work))["kept"] == 8
    survived = workbench.hashes()
    shutil.rmtree(workbench.out)
    workbench.build()
    assert workbench.hashes() == survived


@pytest.mark.parametrize("size", ["100k", "1200k"])
def test_a_full_temporary_folder_is_said_and_left_empty(workbench, small_disk, size):
    # Prefect's database lies there: it has no room in the one, and can't grow in the other.
    subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)
    assert error_of(workbench, TMPDIR=str(small_disk)) == sentence(small_disk)
    assert list(small_disk.iterdir()) == []


@pytest.fixture
def only_full(monkeypatch):
    """Take one folder's disk for full, and no other."""

    def fill(folder):
        monkeypatch.setattr(full_disk, "is_nearly_full", lambda place: str(place) == str(folder))

    return fill


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_write_without_a_name_is_one_to_the_place(tmp_path, only_full, number):
    only_full(None)
    with pytest.raises(OSError) as caught, full_disk_named(tmp_path):
        raise OSError(number, "as pyarrow says it")
    said = f"{os.strerror(number)}: the disk of '{tmp_path}' is full: free some"
    assert full_disk_sentence(caught.value).startswith(said)


def test_a_write_without_a_name_may_have_been_to_a_full_temporary_folder(tmp_path, only_full):
    only_full(tempfile.gettempdir())
    with pytest.raises(OSError) as caught, full_disk_named(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == tempfile.gettempdir()


def test_a_file_elsewhere_is_where_it_is_full(tmp_path):
    elsewhere = tmp_path / "cache" / "not made" / "model.bin"
    with pytest.raises(OSError) as caught, full_disk_named(tmp_path / "work"):
        raise OSError(errno.ENOSPC, "No space left on device", str(elsewhere))
    assert f"the disk of '{tmp_path}' is full" in full_disk_sentence(caught.value)


def test_another_error_stays_as_it_is(tmp_path):
    with pytest.raises(PermissionError) as caught, full_disk_named(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert caught.value.filename is None


def test_a_store_at_an_address_is_named_by_it():
    error = full_disk.no_space("s3://bucket/work")
    assert "the disk of 's3://bucket/work' is full" in full_disk_sentence(error)
