"""What lies where in a dataset folder, and in a model's that is published like one."""

from __future__ import annotations

import re

CARD = "README.md"
RECIPE = "recipe.yaml"
"""The resolved recipe: every default filled in, every revision pinned. A model's is there when its
training has come to its end."""
BUILD = "build.json"
"""What else the build knew: the facts that the manifest begins with."""
MANIFEST = "MANIFEST.json"
CREDENTIALS = "provenance.json"
"""What made the set, as a C2PA manifest definition."""
REPORT = "report.html"
DATA, REJECTS = "data", "rejects"
"""Folders of the shards, by language."""
ROWS = "rows.parquet"
"""Id and hash of every kept row."""
REJECTED_LINES = "rejected_lines.parquet"
"""Lines that failed a text gate, and were never spoken."""
FAILURES = "failures.parquet"
FIGURES = "figures"
COUNTS, LOSSES, SCORES, EMOTION, TAKES = PICTURES = (
    "counts.png",
    "losses.png",
    "scores.png",
    "emotion.png",
    "takes.png",
)
"""The figures that describe a set, in the order of the report."""
WEIGHTS = "model.safetensors"
"""Of a trained model."""

_SHARD = re.compile(rf"({DATA}|{REJECTS})/[\w-]+/[a-z]+-\d+-of-\d+\.parquet")
_OF_A_SET = frozenset(
    {CARD, RECIPE, BUILD, CREDENTIALS, REPORT, ROWS, REJECTED_LINES, FAILURES}
    | {f"{FIGURES}/{name}" for name in PICTURES}
)


def is_of_a_set(name: str) -> bool:
    """Whether a file is one of those that make a set, its manifest aside; no other is published."""
    return name in _OF_A_SET or _SHARD.fullmatch(name) is not None
