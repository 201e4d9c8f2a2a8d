"""The scores that speak of emotion, and what tables and charts call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.dataset.reading import DatasetFolder


@dataclass(frozen=True)
class Named:
    """A score's column in a table; the title and the axis of its chart.

    The units of errors are those of `pipeline.prosody.target`.
    """

    column: str
    title: str
    axis: str


_SCORES: Mapping[str, Named] = {
    "probe_probability": Named(
        "probability of the wanted emotion (probe)", "Probe: the wanted emotion", "probability"
    ),
    "prosody_distance": Named(
        "prosody distance", "Prosody: asked against got", "distance (0 = exact)"
    ),
}


def emotion_scores(dataset: DatasetFolder) -> dict[str, Named]:
    """Those that a dataset has."""
    return {name: named for name, named in _SCORES.items() if name in dataset.score_names}
