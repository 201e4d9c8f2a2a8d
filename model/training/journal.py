"""What a training leaves behind for a person: metrics as CSV, for tensorboard, and as a picture."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from model.recipe.training import LOSSES
from model.training.checkpoint import Position
from pipeline.errors import InputError

_FILE = "metrics.csv"
_CURVES = ("total", *LOSSES)
_FIELDS = ("stage_number", "stage", "step", *_CURVES, "learning_rate", "validation_ua")
_KNOWN_BY = {"stage_number", "step", "validation_ua"}


class Journal:
    """Rows of `metrics.csv`, one a step; what lies behind the position of a resume is cut off."""

    def __init__(self, folder: Path, position: Position) -> None:
        self._path = folder / _FILE
        self._board_path = folder / "tensorboard"
        self._kept = [
            row
            for row in read_metrics(folder)
            if (int(row["stage_number"]), int(row["step"])) <= (position.stage, position.step)
        ]
        self._step = len(self._kept)

    def __enter__(self) -> Self:
        from torch.utils.tensorboard import SummaryWriter

        self._board: Any = SummaryWriter(str(self._board_path), purge_step=self._step + 1)
        # Written beside and moved: a kill or a full disk here leaves the rows of the past.
        fresh = self._path.with_name(f"{_FILE}.tmp")
        self._file = fresh.open("w", newline="", encoding="utf-8")
        self._rows = csv.DictWriter(self._file, _FIELDS)
        self._rows.writeheader()
        self._rows.writerows(self._kept)
        self._file.flush()
        fresh.replace(self._path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._board.close()

    def write(self, stage: str, position: Position, found: dict[str, float]) -> None:
        """Add the metrics of a step."""
        self._step += 1
        about = {"stage_number": position.stage, "stage": stage, "step": position.step}
        self._rows.writerow({**about, **{k: f"{v:.6g}" for k, v in found.items()}})
        self._file.flush()
        for name, value in found.items():
            self._board.add_scalar(name, value, self._step)


def read_metrics(folder: Path) -> list[dict[str, str]]:
    """The rows of `metrics.csv`; none where there is no file.

    A full disk can have cut the last one short: it is left out, and no checkpoint is behind it.

    Raises:
        InputError: somebody else wrote the file, as a spreadsheet does with other separators.
    """
    path = folder / _FILE
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        found = csv.DictReader(file)
        rows = [row for row in found if None not in row.values()]
    if rows and not set(found.fieldnames or ()) >= _KNOWN_BY:
        raise InputError(
            f"'{path}' is no table of a training any more: its first line names no "
            f"{', '.join(sorted(_KNOWN_BY))}, by commas; put it back, or remove it and do without"
        )
    return rows


def draw_curves(folder: Path, out: Path) -> None:
    """One picture of the losses and the validation UAR over all steps."""
    from matplotlib.figure import Figure

    rows = read_metrics(folder)
    figure = Figure(figsize=(9, 5), layout="constrained")
    losses, score = figure.subplots(2, 1, sharex=True)
    for name in _CURVES:
        points = [(n, float(row[name])) for n, row in enumerate(rows, 1) if row.get(name)]
        if points:
            losses.plot(*zip(*points, strict=True), label=name, linewidth=1)
    losses.set_ylabel("loss")
    losses.legend(fontsize="small")
    points = [(n, float(r["validation_ua"])) for n, r in enumerate(rows, 1) if r["validation_ua"]]
    score.plot(*zip(*points, strict=True), marker="o", color="#0072B2")
    score.set(ylabel="validation UAR", xlabel="step, all stages", ylim=(0, 1))
    figure.savefig(out, dpi=130, metadata={"Software": None})
