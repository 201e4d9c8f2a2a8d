"""Folders that appear whole, whatever happens and whoever else writes there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from pipeline.dataset.place import put_in_place


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(folder: Path, *files: str) -> None:
    with put_in_place(folder) as partial:
        for name in files:
            (partial / name).write_text(name)


def test_the_new_folder_takes_the_place_of_the_old(tmp_path: Path) -> None:
    write(tmp_path / "a" / "set", "one", "two")
    write(tmp_path / "a" / "set", "three")
    assert names(tmp_path / "a" / "set") == ["three"]
    assert names(tmp_path / "a") == ["set"]


def test_an_error_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "set", "one")
    with pytest.raises(OSError, match="full"), put_in_place(tmp_path / "set") as partial:
        (partial / "two").write_text("two")
        raise OSError("full")
    assert names(tmp_path / "set") == ["one"]
    assert names(tmp_path) == ["set"]


def test_two_writers_never_mix_their_files(tmp_path: Path) -> None:
    begun, may_end = Event(), Event()

    def slow() -> None:
        with put_in_place(tmp_path / "set") as partial:
            (partial / "one").write_text("one")
            begun.set()
            may_end.wait(10)
            (partial / "two").write_text("two")

    with ThreadPoolExecutor(2) as executor:
        first = executor.submit(slow)
        assert begun.wait(10)
        second = executor.submit(write, tmp_path / "set", "three")
        with pytest.raises(TimeoutError):
            second.result(0.2)
        may_end.set()
        first.result(10)
        second.result(10)
    assert names(tmp_path / "set") == ["three"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "set").symlink_to(tmp_path / "disk" / "set")
    for files in (("one",), ("two",)):
        write(tmp_path / "set", *files)
        assert names(tmp_path / "disk" / "set") == list(files)
    assert (tmp_path / "set").is_symlink()
    assert names(tmp_path) == ["disk", "set"]


def test_many_writers_come_one_after_the_other(tmp_path: Path) -> None:
    def numbered(number: int) -> None:
        write(tmp_path / "set", *(f"{number}-{part}" for part in range(5)))

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(numbered, range(40)))
    found = names(tmp_path / "set")
    assert len(found) == 5
    assert len({name.partition("-")[0] for name in found}) == 1
    assert names(tmp_path) == ["set"]
