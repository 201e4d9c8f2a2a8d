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
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=False
        ).returncode
    ):
        pytest.skip("mounting a small tmpfs needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_said_and_survived(workbench, small_disk):
    filler = small_disk / "filler"
    work = small_disk / "work"
    work.mkdir()
    filler.write_bytes(b"x" * 2_300_000)
    error = workbench.build("--work", str(work), code=1)["error"]
    assert "No space left on device" in error
    assert "Traceback" not in error
    assert not workbench.out.exists()
    assert not list(work.rglob("*.tmp"))
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert workbench.build("--work", str(work))["kept"] == 8
