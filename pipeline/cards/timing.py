"""How far takes pause and speak as their source recordings do, over a whole language.

One take's rate says little beside a recording in another language; over many, those that are fast
should be those whose source is. Both figures are summed up as stopes does for SeamlessExpressive
(see `pipeline.judges.expressivity`).
"""

from __future__ import annotations

import numpy as np

from pipeline.cards.tables import Table
from pipeline.dataset.reading import DatasetFolder, score
from pipeline.languages import language_name

_SCORES = ("pause_agreement", "pause_s", "syllables_per_s", "source_syllables_per_s")
_FEWEST = 3
"""Takes of which a rank correlation is said."""


def timing_agreement(dataset: DatasetFolder) -> Table | None:
    """By language, over the kept takes with a source; None where the judge didn't run.

    Pauses: the mean agreement, weighted by the length of the pauses. Rates: Spearman's rank
    correlation of the syllables a second of take and source.
    """
    if not set(_SCORES) <= set(dataset.score_names):
        return None
    names = ", ".join(f"{score(name)} AS {name}" for name in _SCORES)
    found = dataset.columns(f"SELECT language, {names} FROM kept")  # noqa: S608
    values = np.column_stack([found[name] for name in _SCORES]).astype(float)
    measured = np.isfinite(values).all(axis=1)
    rows = []
    for language in dataset.languages:
        agreed, weights, ours, theirs = values[measured & (found["language"] == language)].T
        pauses = f"{np.average(agreed, weights=weights):.2f}" if weights.sum() else "–"
        rates = _rank_correlation(ours, theirs)
        rows.append([language_name(language), f"{len(ours):,}", pauses, rates])
    return Table(("language", "takes", "agreement of pauses", "correlation of rates"), rows)


def _rank_correlation(ours: np.ndarray, theirs: np.ndarray) -> str:
    from scipy.stats import spearmanr

    if len(ours) < _FEWEST or not (np.ptp(ours) and np.ptp(theirs)):
        return "–"
    return f"{spearmanr(ours, theirs).statistic:.2f}"
