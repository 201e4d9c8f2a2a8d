"""What all pictures of a dataset folder share: colours, and a figure without global state."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KEPT, THIS_GATE, ELSEWHERE, INK = "#0072B2", "#D55E00", "#B4B4B4", "#222222"
"""Okabe and Ito's colour-blind-safe blue and vermilion, and two greys."""


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own, in inches, that no global state of pyplot knows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes) -> None:
    """A quiet frame for values that are read along x."""
    axes.grid(axis="x", color="#E5E5E5")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
