"""The pictures of a dataset folder: what it holds, what the gates saw, what it sounds like."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cards.charts import draw_counts, draw_emotion, draw_losses, draw_scores
from pipeline.cards.spectrograms import draw_takes
from pipeline.dataset.reading import DatasetFolder, open_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 130


def write_figures(folder: Path) -> None:
    """Write `figures/*.png` of a dataset folder; the same folder gives the same bytes."""
    pictures: dict[str, Callable[[DatasetFolder], Figure | None]] = {
        "counts.png": draw_counts,
        "losses.png": draw_losses,
        "scores.png": draw_scores,
        "emotion.png": draw_emotion,
        "takes.png": draw_takes,
    }
    (folder / "figures").mkdir(exist_ok=True)
    with open_folder(folder) as dataset:
        for name, draw in pictures.items():
            figure = draw(dataset)
            if figure is not None:
                figure.savefig(folder / "figures" / name, dpi=_DPI, metadata={"Software": None})
