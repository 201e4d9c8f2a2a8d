"""A full disk: a clear message, exit code 1, nothing half-written, and the next build goes on."""

import os
import shutil
import subprocess

import pytest


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if (
        not mounted
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)], check=False
        ).returncode
    ):
        pytest.skip("mounting a small tmpfs needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_too_small_for_the_set_leaves_the_old_one(workbench, small_disk):
    out = small_disk / "out"
    error = workbench.build("--out", str(out), code=1)["error"]
    assert "No space left on device" in error
    assert list(small_disk.iterdir()) == []
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert workbench.build("--out", str(out))["kept"] == 8


def test_a_full_disk_is_said_and_survived(workbench, small_disk):
    work = small_disk / "work"
    work.mkdir()
    error = workbench.build("--work", str(work), code=1)["error"]
    assert "No space left on device" in error
    assert "Traceback" not in error
    assert not workbench.out.exists()
    assert not list(work.rglob("*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert workbench.build("--work", str(work))["kept"] == 8
