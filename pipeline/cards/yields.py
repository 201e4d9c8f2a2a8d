"""What came of the sentences: the lines that were kept."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.dataset.reading import DatasetFolder


@dataclass(frozen=True)
class Yields:
    """Lines and sentences that were judged, and what was kept of them."""

    lines: int
    kept_lines: int
    """With a kept take."""
    sentences: int
    complete_sentences: int
    """With a kept take in every language."""


def yields(dataset: DatasetFolder) -> Yields:
    """Count the lines and the sentences of a set."""
    [lines] = dataset.rows(
        "SELECT count(*) AS lines, count(*) FILTER (kept) AS kept_lines FROM (SELECT "
        "bool_or(reason IS NULL) AS kept FROM takes GROUP BY source_id, language)"
    )
    [sentences] = dataset.rows(
        "SELECT count(*) AS sentences, "
        "count(*) FILTER (languages = $1) AS complete_sentences FROM (SELECT "
        "count(DISTINCT language) FILTER (reason IS NULL) AS languages FROM takes "
        "GROUP BY source_id)",
        [len(dataset.languages)],
    )
    return Yields(**lines, **sentences)
