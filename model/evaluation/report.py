"""An evaluation as files: JSON, Markdown and figures, the same for the same verdicts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.evaluation.evaluate import ALL, COLUMNS, Evaluation
from model.evaluation.inference import Embedded
from pipeline.cards.templates import markdown
from pipeline.plain import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 130
_MATRICES_A_ROW = 4
_PERPLEXITY = 30
_DRAWN = 1000
"""Clips in the picture of the embeddings at most."""
_FEWEST_DRAWN = 3
_COLOURED = ("emotion", "language", "speaker")
_NAMED = ("emotion", "language")
"""Those with a legend: the card is published, and speakers are people."""
_MOST_NAMED = 12


def write_evaluation(folder: Path, found: Evaluation, embedded: Embedded) -> None:
    """Write `evaluation.json`, `evaluation.md` and `figures/*.png` into a folder."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    text = json.dumps(found.as_dict(), indent=1)
    (folder / "evaluation.json").write_text(text + "\n", encoding="utf-8")
    (folder / "evaluation.md").write_text(evaluation_markdown(found), encoding="utf-8")
    figures = {"confusion.png": draw_confusions(found), "embeddings.png": draw_embeddings(embedded)}
    for name, figure in figures.items():
        figure.savefig(folder / "figures" / name, dpi=_DPI, metadata={"Software": None})


def evaluation_markdown(found: Evaluation) -> str:
    """The evaluation as tables, for the model card and for reading."""
    table = markdown_table(COLUMNS, found.rows())
    counts = [
        (label, *(str(count) for count in row))
        for label, row in zip(found.labels, found.counts[ALL], strict=True)
    ]
    said = markdown_table(("true / said", *found.labels), counts)
    remarks = "\n".join(f"- {markdown(remark)}" for remark in found.remarks())
    title, about = markdown(f"On {found.tested}:"), markdown(found.intervals)
    return "\n\n".join(part for part in (title, table, about, remarks, said) if part) + "\n"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts, which show as they are: a language or label is the set's own word."""
    lines = [[str(markdown(cell)) for cell in line] for line in (header, *rows)]
    lines.insert(1, ["---"] * len(header))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def draw_confusions(found: Evaluation) -> Figure:
    """A confusion matrix for all and for each language: counts, shaded by recall."""
    figure = _figure(len(found.counts), _MATRICES_A_ROW)
    for axes, (language, counts) in zip(figure.axes, found.counts.items(), strict=False):
        _draw_confusion(axes, counts, found.labels)
        axes.set_title(plain(language), parse_math=False)
    return figure


def draw_embeddings(embedded: Embedded) -> Figure:
    """t-SNE (van der Maaten and Hinton 2008) of embeddings after each stage, a row a stage.

    Coloured by emotion, language and speaker. Large dots are held-out clips: those of the training
    were told apart by learning them.
    """
    kept = np.random.default_rng(0).permutation(len(embedded.held_out))[:_DRAWN]
    colourings = {name: getattr(embedded, f"{name}s")[kept] for name in _COLOURED}
    figure = _figure(len(_COLOURED) * len(embedded.by_stage), len(_COLOURED))
    places = iter(figure.axes)
    for stage, embeddings in embedded.by_stage.items():
        points = _project(embeddings[kept])
        for name, values in colourings.items():
            axes = next(places)
            _scatter(axes, points, values, embedded.held_out[kept])
            if name in _NAMED and len(np.unique(values)) <= _MOST_NAMED:
                _name_colours(axes)
            axes.set_title(f"after '{stage}', by {name}")
    return figure


def _project(embeddings: np.ndarray) -> np.ndarray:
    """Embeddings [N, D] as points [N, 2]; of fewer than three clips nothing is to be seen."""
    from sklearn.manifold import TSNE
    from sklearn.preprocessing import StandardScaler

    if len(embeddings) < _FEWEST_DRAWN:
        return np.arange(2 * len(embeddings), dtype=float).reshape(-1, 2)
    perplexity = min(_PERPLEXITY, (len(embeddings) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=0)
    points: np.ndarray = tsne.fit_transform(StandardScaler().fit_transform(embeddings))
    return points


def _scatter(axes: Axes, points: np.ndarray, values: np.ndarray, large: np.ndarray) -> None:
    from matplotlib import colormaps

    names = np.unique(values)
    colours = colormaps["tab10" if len(names) <= 10 else "tab20"]
    for number, name in enumerate(names):
        own = values == name
        across, up = points[own].T
        colour = [colours(number % colours.N)]
        axes.scatter(across, up, s=np.where(large[own], 28, 5), c=colour, label=plain(str(name)))
    axes.set(xticks=[], yticks=[])


def _name_colours(axes: Axes) -> None:
    for text in axes.legend(fontsize=6, markerscale=0.8).get_texts():
        text.set_parse_math(False)


def _draw_confusion(axes: Axes, counts: np.ndarray, labels: Sequence[str]) -> None:
    recall = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(recall, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        ink = "white" if recall[row, column] > 0.6 else "black"
        axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color=ink)
    plainly: dict[str, Any] = {"fontsize": 7, "parse_math": False}
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", **plainly)
    axes.set_yticks(range(len(labels)), labels, **plainly)
    axes.set(xlabel="said", ylabel="true")


def _figure(pictures: int, columns: int) -> Figure:
    from matplotlib.figure import Figure

    columns = min(columns, pictures)
    rows = -(-pictures // columns)
    figure = Figure(figsize=(3.6 * columns, 3.6 * rows), layout="constrained")
    for place in range(pictures):
        figure.add_subplot(rows, columns, place + 1)
    return figure
