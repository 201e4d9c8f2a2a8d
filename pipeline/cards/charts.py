"""Charts of a dataset folder: what it holds, whom the gates hit, what they saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.cards.canvas import ELSEWHERE, INK, KEPT, THIS_GATE, new_figure, plain
from pipeline.cards.changes import Change, changes
from pipeline.cards.emotion_scores import emotion_scores
from pipeline.cards.losses import losses
from pipeline.cards.rules import gates_of, limits, score_gates
from pipeline.dataset.reading import DatasetFolder, score
from pipeline.languages import language_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 40
_COLUMNS = 3
_PASSED = "(SELECT take_id FROM passed)"
_FATES = {
    "kept": (KEPT, "reason IS NULL"),
    "passed, not chosen": (ELSEWHERE, f"reason IS NOT NULL AND take_id IN {_PASSED}"),
    "failed a gate": (THIS_GATE, f"take_id NOT IN {_PASSED}"),
}
"""What became of a take, and which those takes are."""


def draw_counts(dataset: DatasetFolder) -> Figure | None:
    """Kept takes by language and emotion, and the share of the judged that passed the gates.

    A part of a set has no rejects, so that it knows no such share.
    """
    emotions = dataset.emotions
    if not emotions:
        return None
    kept = _crossed(dataset, "kept")
    figure = new_figure(6 if dataset.is_part else 11, 1.5 + 0.45 * len(dataset.languages))
    left, *others = figure.subplots(1, 1 if dataset.is_part else 2, squeeze=False)[0]
    _heat_map(left, kept, "Kept takes", "{:.0f}", top=max(1.0, kept.max()))
    for right in others:
        judged = _crossed(dataset, "takes")
        share = 100 * _crossed(dataset, "passed") / np.where(judged > 0, judged, np.nan)
        _heat_map(right, share, "Passed every gate, % of judged takes", "{:.0f}", top=100.0)
    for axes in (left, *others):
        axes.set_xticks(range(len(emotions)), emotions, rotation=35, ha="right")
        names = [language_name(code) for code in dataset.languages]
        axes.set_yticks(range(len(names)), names)
    return figure


def draw_losses(dataset: DatasetFolder) -> Figure | None:
    """Whom the gates hit: takes lost by emotion and by language, with 95 % intervals."""
    groups = {column: losses(dataset, column) for column in ("emotion", "language")}
    if not groups["emotion"] or not gates_of(dataset.recipe) or dataset.is_part:
        return None
    figure = new_figure(11, 1.6 + 0.32 * max(len(found) for found in groups.values()))
    for axes, (column, found) in zip(
        figure.subplots(1, 2, sharex=True), groups.items(), strict=True
    ):
        places = range(len(found))
        low, high = 100 * np.array([one.interval for one in found]).T
        axes.hlines(places, low, high, color=THIS_GATE, linewidth=2.5)
        axes.plot([100 * one.share for one in found], places, "o", color=THIS_GATE, markersize=6)
        names = [one.group for one in found]
        axes.set_yticks(places, [language_name(n) if column == "language" else n for n in names])
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel("% of the judged takes")
        axes.set_title(f"By {column}", fontsize=11)
        plain(axes)
    figure.suptitle("Lost to the gates: share and 95 % interval")
    return figure


def draw_scores(dataset: DatasetFolder) -> Figure | None:
    """For every threshold of a gate: the score's distribution by what became of the takes."""
    panels = [
        (name, part)
        for name, gate in gates_of(dataset.recipe).items()
        for part in score_gates(gate)
        if part.score in dataset.score_names
    ]
    if not panels or not dataset.emotions or dataset.is_part:
        return None
    rows = -(-len(panels) // _COLUMNS)
    figure = new_figure(11, 0.5 + 2.5 * rows)
    grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, (name, part) in zip(grid, panels, strict=False):
        found = sorted({limit for both in limits(dataset, part).values() for limit in both})
        shown = [limit for limit in found if np.isfinite(limit)]
        _histogram(axes, dataset, name, part.score, shown)
        for limit in shown:
            axes.axvline(limit, color=INK, linewidth=1, linestyle=(0, (4, 2)))
        axes.set_title(name if name == part.score else f"{name}: {part.score}", fontsize=10)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    handles, labels = max((axes.get_legend_handles_labels() for axes in grid), key=_size)
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle("Every judged take, and the gates' limits (dashed; a line for each language)")
    return figure


def draw_emotion(dataset: DatasetFolder) -> Figure | None:
    """By emotion: what the probe heard, and what was asked of the voice against what it does."""
    present, emotions = emotion_scores(dataset), dataset.emotions
    if not present or not emotions:
        return None
    changed = changes(dataset, "emotion")
    panels = len(present) + len(changed)
    rows = -(-panels // _COLUMNS)
    figure = new_figure(11, 0.8 + rows * (0.9 + 0.26 * len(emotions)))
    grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, (name, named) in zip(grid, present.items(), strict=False):
        for place, (label, (colour, which)) in enumerate(_FATES.items()):
            _quartiles(axes, dataset, name, label, which, colour=colour, shift=0.2 * (place - 1))
        axes.set_title(named.title, fontsize=10)
        axes.set_xlabel(named.axis)
    for axes, (dimension, by_emotion) in zip(grid[len(present) :], changed.items(), strict=False):
        _change(axes, {emotions.index(name): one for name, one in by_emotion.items()})
        axes.set_title(dimension.title, fontsize=10)
        axes.set_xlabel(f"{dimension.unit} re neutral")
    for axes in grid[:panels]:
        axes.set_yticks(range(len(emotions)), emotions)
        axes.set_ylim(len(emotions) - 0.5, -0.5)
        plain(axes)
    for axes in grid[panels:]:
        axes.set_visible(False)
    figure.suptitle("Was the emotion kept? Median and middle half of the takes")
    legend = {
        label: handle
        for axes in grid
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        legend.values(), legend.keys(), loc="outside lower center", ncols=3, frameon=False
    )
    return figure


def _change(axes: Axes, by_place: Mapping[int, Change]) -> None:
    """At each place what was asked for above what the kept takes have."""
    axes.axvline(0, color=ELSEWHERE, linewidth=1)
    for label, colour, shift in (("asked for", INK, -0.14), ("kept", KEPT, 0.14)):
        places = [place + shift for place in by_place]
        found = [one.asked if label == "asked for" else one.got for one in by_place.values()]
        low, middle, high = np.array(found).T
        axes.hlines(places, low, high, color=colour, linewidth=2.5)
        axes.plot(middle, places, "o", color=colour, markersize=5, label=label)


def _size(legend: tuple[list[Any], list[Any]]) -> int:
    return len(legend[1])


def _crossed(dataset: DatasetFolder, view: str) -> np.ndarray:
    """Takes of a view by language and emotion, float64 [languages, emotions]."""
    counts = np.zeros((len(dataset.languages), len(dataset.emotions)))
    counts_of = f"SELECT language, emotion, count(*) AS n FROM {view} GROUP BY ALL"  # noqa: S608
    for row in dataset.rows(counts_of):
        at = dataset.languages.index(row["language"]), dataset.emotions.index(row["emotion"])
        counts[at] = row["n"]
    return counts


def _heat_map(axes: Axes, values: np.ndarray, title: str, form: str, top: float) -> None:
    axes.imshow(values, cmap="Blues", vmin=0, vmax=top * 1.25, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = form.format(value) if np.isfinite(value) else "–"
        colour = "white" if value > 0.7 * top else INK
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=10)
    axes.set_title(title, fontsize=12)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _histogram(
    axes: Axes, dataset: DatasetFolder, gate: str, name: str, shown: Sequence[float]
) -> None:
    """Stacked counts of a score over an axis with these limits on it.

    The outermost half per cent goes into the outer bins, which say so.
    """
    takes = dataset.columns(
        f"SELECT coalesce(reason, '') AS reason, {score(name)} AS value FROM takes"  # noqa: S608
    )
    finite = np.isfinite(takes["value"])
    values, reasons = takes["value"][finite], takes["reason"][finite]
    axes.set_xlabel(name.replace("_", " "))
    axes.set_ylabel("Takes")
    axes.locator_params(axis="y", integer=True, nbins=5)
    axes.spines[["top", "right"]].set_visible(False)
    if not values.size:
        axes.text(0.5, 0.5, "nothing measured", transform=axes.transAxes, ha="center")
        return
    low, high = np.quantile(values, [0.005, 0.995])
    width = (high - low) / _BINS
    # A bin beyond each limit: what fails it must not be drawn on the side that passes.
    low = min([low, *(limit - width for limit in shown)])
    high = max([high, *(limit + width for limit in shown)])
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    parts = {
        "kept": reasons == "",
        "rejected elsewhere": (reasons != "") & (reasons != gate),
        "rejected here": reasons == gate,
    }
    if values.min() < edges[0] or values.max() > edges[-1]:
        axes.set_xlabel(f"{name.replace('_', ' ')} (outermost bins: and beyond)")
    axes.hist(
        [np.clip(values[part], edges[0], edges[-1]) for part in parts.values()],
        bins=edges.tolist(), stacked=True, color=[KEPT, ELSEWHERE, THIS_GATE], label=list(parts),
    )  # fmt: skip


def _quartiles(
    axes: Axes,
    dataset: DatasetFolder,
    name: str,
    label: str,
    which: str,
    *,
    colour: str,
    shift: float,
) -> None:
    """A dot at the median and a line over the middle half of a score, for every emotion."""
    quartiles = f"quantile_cont({score(name)}, [0.25, 0.5, 0.75])"
    rows = dataset.rows(
        f"SELECT emotion, {quartiles} AS quartiles FROM takes "  # noqa: S608 - quoted names
        f"WHERE {which} AND isfinite({score(name)}) GROUP BY emotion ORDER BY emotion"
    )
    if not rows:
        return
    places = [dataset.emotions.index(row["emotion"]) + shift for row in rows]
    low, middle, high = np.array([row["quartiles"] for row in rows]).reshape(-1, 3).T
    axes.hlines(places, low, high, color=colour, linewidth=2.5)
    axes.plot(middle, places, "o", color=colour, markersize=5, label=label)
