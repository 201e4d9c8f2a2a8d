"""The pictures of a dataset folder: what it holds, what the gates saw, what it sounds like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cards.charts import draw_counts, draw_emotion, draw_losses, draw_scores
from pipeline.cards.spectrograms import draw_takes
from pipeline.dataset import layout
from pipeline.dataset.reading import DatasetFolder, open_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 130


@dataclass(frozen=True)
class Picture:
    """A figure: what it shows, in words, and what draws it, or nothing where there is nothing."""

    text: str
    draw: Callable[[DatasetFolder], Figure | None]


PICTURES: Mapping[str, Picture] = {
    layout.COUNTS: Picture("What was kept, by language and emotion", draw_counts),
    layout.LOSSES: Picture(
        "What the gates removed, by emotion and by language, with 95 % intervals", draw_losses
    ),
    layout.SCORES: Picture(
        "Distribution of every gated score for kept and rejected takes, with the limits",
        draw_scores,
    ),
    layout.EMOTION: Picture(
        "By emotion: what was asked of the voice, and what it does",
        draw_emotion,
    ),
    layout.TAKES: Picture("Spectrogram and F0 of one kept take of each emotion", draw_takes),
}
"""The figures by their files' names."""


def write_figures(folder: Path) -> None:
    """Write `figures/*.png` of a dataset folder; the same folder gives the same bytes."""
    (folder / layout.FIGURES).mkdir(exist_ok=True)
    with open_folder(folder) as dataset:
        for name, picture in PICTURES.items():
            figure = picture.draw(dataset)
            if figure is not None:
                figure.savefig(
                    folder / layout.FIGURES / name, dpi=_DPI, metadata={"Software": None}
                )
