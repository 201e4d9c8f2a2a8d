"""What goes with the emotion in a set besides it, so that a model could learn that instead.

A study that leaves these out may measure them: the level, the words, the strength of the transfer,
the voices of a split.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.cards.tables import Table
from pipeline.dataset.reading import SPLITS, DatasetFolder, score

_LEVEL = "rms_dbfs"


@dataclass(frozen=True)
class Levels:
    """The loudest and the quietest emotion, and the median levels of their takes in dBFS."""

    loudest: str
    most: str
    quietest: str
    least: str


@dataclass(frozen=True)
class Confounds:
    """What goes with the emotion in the kept takes; None where there is nothing to say."""

    strengths: Table | None
    turned_down: list[tuple[str, str, str]]
    levels: Levels | None
    genders: Table
    sentences: int
    of_one_emotion: int
    """English sentences that were said with one emotion alone."""


def confounds(dataset: DatasetFolder) -> Confounds:
    """What goes with the emotion in the kept takes of a set."""
    return Confounds(
        _strengths(dataset),
        _turned_down(dataset),
        _levels(dataset),
        _genders(dataset),
        **_nesting(dataset),
    )


def _strengths(dataset: DatasetFolder) -> Table | None:
    """By emotion: the share of the kept takes at each strength of the transfer."""
    found = dataset.rows("SELECT emotion, strength, count(*) AS n FROM kept GROUP BY ALL")
    counts = {(row["emotion"], row["strength"]): row["n"] for row in found}
    strengths = sorted({strength for _, strength in counts}, reverse=True)
    emotions = [one for one in dataset.emotions if any(one == emotion for emotion, _ in counts)]
    if len(strengths) < 2 or dataset.recipe["prosody"]["from"] == "none":
        return None
    of_emotion = {one: sum(counts.get((one, s), 0) for s in strengths) for one in emotions}
    rows = []
    for strength in strengths:
        shares = (counts.get((one, strength), 0) / of_emotion[one] for one in emotions)
        rows.append([f"{strength:g}", *(f"{100 * share:.0f} %" for share in shares)])
    return Table(("strength", *emotions), rows)


def _turned_down(dataset: DatasetFolder) -> list[tuple[str, str, str]]:
    """Emotions whose kept takes were turned down lest they clip: the share, and the most in dB."""
    found = dataset.rows(
        "SELECT emotion, avg((limited_db > 0)::INT) AS share, max(limited_db) AS most FROM kept "
        "GROUP BY emotion HAVING max(limited_db) > 0 ORDER BY share DESC, emotion"
    )
    return [(row["emotion"], f"{100 * row['share']:.0f} %", f"{row['most']:.1f}") for row in found]


def _levels(dataset: DatasetFolder) -> Levels | None:
    """The loudest and the quietest emotion by the median level of their kept takes, in dBFS."""
    if _LEVEL not in dataset.score_names:
        return None
    found = dataset.rows(
        f"SELECT emotion, median({score(_LEVEL)}) AS level FROM kept "  # noqa: S608 - a quoted name
        f"WHERE isfinite({score(_LEVEL)}) GROUP BY emotion ORDER BY level DESC, emotion"
    )
    if len(found) < 2:
        return None
    first, last = found[0], found[-1]
    return Levels(
        first["emotion"], f"{first['level']:.0f}", last["emotion"], f"{last['level']:.0f}"
    )


def _genders(dataset: DatasetFolder) -> Table:
    """Voices of each gender by split."""
    found = dataset.rows(
        "SELECT gender, split, count(DISTINCT voice) AS voices FROM kept GROUP BY ALL"
    )
    counts = {(row["gender"], row["split"]): row["voices"] for row in found}
    genders = sorted({gender for gender, _ in counts})
    rows = [[one, *(f"{counts.get((one, split), 0):,}" for split in SPLITS)] for one in genders]
    return Table(("voices", *SPLITS), rows)


def _nesting(dataset: DatasetFolder) -> dict[str, int]:
    """English sentences that were kept, and those of them that were said with one emotion alone."""
    [row] = dataset.rows(
        "SELECT count(*) AS sentences, count(*) FILTER (emotions = 1) AS of_one_emotion FROM "
        "(SELECT count(DISTINCT emotion) AS emotions FROM kept "
        "GROUP BY coalesce(source_text, source_id))"
    )
    return row
