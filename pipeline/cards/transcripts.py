"""What a recogniser wrote down of the kept takes, by language."""

from __future__ import annotations

from pipeline.cards.tables import Table
from pipeline.dataset.reading import DatasetFolder, score
from pipeline.languages import language_name

_WRONG = 0.3
"""Error rate of a transcript above which a clip is worth listening to (NeMo Curator's preset)."""


def transcripts(dataset: DatasetFolder) -> Table | None:
    """Mean error rates, and clips that were written down badly; None without a transcript judge."""
    if not {"cer", "wer"} <= set(dataset.score_names):
        return None
    found = dataset.rows(
        f"SELECT language, avg({score('cer')}) AS cer, avg({score('wer')}) AS wer, "  # noqa: S608
        f"count(*) FILTER ({score('cer')} > {_WRONG}) AS wrong FROM kept GROUP BY language"
    )
    by_language = {row["language"]: row for row in found}
    rows = []
    for language in dataset.languages:
        if row := by_language.get(language):
            rates = ("–" if row[one] is None else f"{row[one]:.2f}" for one in ("cer", "wer"))
            rows.append([language_name(language), *rates, f"{row['wrong']:,}"])
    return Table(("language", "CER", "WER", f"clips with a CER above {_WRONG:g}"), rows)
