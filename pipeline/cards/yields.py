"""What came of the sentences: the lines that were kept, and whom the gates took them from."""

from __future__ import annotations

from typing import Any

from pipeline.cards.rules import gates_of
from pipeline.dataset.reading import DatasetFolder

_MOST = 0.5
"""The share of all losses that a few voices must have between them to be named (assumed)."""


def yields(dataset: DatasetFolder) -> dict[str, Any]:
    """Judged lines and those with a kept take; sentences, and those kept in every language."""
    [lines] = dataset.rows(
        "SELECT count(*) AS lines, count(*) FILTER (kept) AS kept_lines FROM (SELECT "
        "bool_or(reason IS NULL) AS kept FROM takes GROUP BY source_id, language)"
    )
    [sentences] = dataset.rows(
        "SELECT count(*) AS judged_sentences, "
        "count(*) FILTER (languages = $1) AS complete_sentences FROM (SELECT "
        "count(DISTINCT language) FILTER (reason IS NULL) AS languages FROM takes "
        "GROUP BY source_id)",
        [len(dataset.languages)],
    )
    return {**lines, **sentences}


def hardest_hit_voices(dataset: DatasetFolder) -> tuple[list[str], int, int] | None:
    """The fewest voices that most of the losses are of, their losses, and all.

    None where that takes more than a quarter of the voices: then it is not a matter of voices.
    """
    found = dataset.rows(
        "SELECT voice, count(*) FILTER (list_contains($1, reason)) AS lost FROM takes "
        "GROUP BY voice ORDER BY lost DESC, voice",
        [list(gates_of(dataset.recipe))],
    )
    every = sum(row["lost"] for row in found)
    named: list[str] = []
    lost = 0
    for row in found:
        if lost > _MOST * every or not row["lost"]:
            break
        named.append(row["voice"])
        lost += row["lost"]
    return (named, lost, every) if named and 4 * len(named) <= len(found) else None
