"""The metrics of a training survive what its writer may not."""

import csv

import pytest

from model.training.checkpoint import Position
from model.training.journal import Journal, draw_curves, read_metrics
from pipeline.errors import InputError

FOUND = {"total": 1.5, "word": 1.5, "learning_rate": 1e-3}


@pytest.fixture
def folder(tmp_path):
    with Journal(tmp_path, Position()) as journal:
        for step in (1, 2, 3):
            journal.write("align", Position(0, step), FOUND)
    return tmp_path


def steps(folder):
    return [int(row["step"]) for row in read_metrics(folder)]


def test_what_lies_behind_the_position_is_cut_off(folder):
    with Journal(folder, Position(0, 2)) as journal:
        assert steps(folder) == [1, 2]
        journal.write("align", Position(0, 3), FOUND)
    assert steps(folder) == [1, 2, 3]


def test_a_row_that_a_full_disk_cut_short_is_left_out(folder):
    with (folder / "metrics.csv").open("a") as file:
        file.write("0,align,4")
    with Journal(folder, Position(0, 3)):
        assert steps(folder) == [1, 2, 3]


def test_a_table_that_a_spreadsheet_saved_is_told(folder):
    file = folder / "metrics.csv"
    file.write_text(file.read_text().replace(",", ";"))
    with pytest.raises(InputError, match=r"metrics\.csv' is no table of a training any more"):
        Journal(folder, Position(0, 3))


def test_rows_of_before_a_loss_was_added_stay(folder):
    old = (folder / "metrics.csv").read_text().replace(",auxiliary", "").replace(",,,,,", ",,,,")
    (folder / "metrics.csv").write_text(old)
    with Journal(folder, Position(0, 3)) as journal:
        journal.write("align", Position(0, 4), {**FOUND, "auxiliary": 0.5})
    rows = read_metrics(folder)
    assert [row["auxiliary"] for row in rows] == ["", "", "", "0.5"]
    assert [row["learning_rate"] for row in rows] == ["0.001"] * 4
    draw_curves(folder, folder / "curves.png")
    assert (folder / "curves.png").stat().st_size > 0


def test_a_start_that_fails_leaves_the_metrics_of_the_past(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(csv.DictWriter, "writerows", full)
    with pytest.raises(OSError, match="No space"):
        Journal(folder, Position(0, 3)).__enter__()
    assert steps(folder) == [1, 2, 3]
