"""The numbers of the dataset card, each a query over the folder's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.cards.rules import gates_of, reasons_of
from pipeline.cards.templates import spoken
from pipeline.dataset.reading import SPLITS, DatasetFolder, score
from pipeline.dataset.rejected_lines import FILE
from pipeline.languages import LANGUAGES, language_name

_ERRORS = 10
_VOICES = 40
_Z_95 = 1.96
_GROUPED = ("emotion", "language", "gender")
_OF_EMOTION = {
    "probe_probability": "probability of the wanted emotion (probe)",
    "prosody_distance": "prosody distance",
    "prosody_f0_level": "F0 level",
    "prosody_f0_range": "F0 range",
    "prosody_energy": "energy",
    "prosody_rate": "rate",
}
"""Scores that speak of emotion, and their columns' titles."""


@dataclass(frozen=True)
class Table:
    """A table of the card: a header, and rows of text or numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]


def by_emotion(dataset: DatasetFolder) -> Table:
    """Kept takes by language and emotion, with sums."""
    counts = _counts(dataset, "SELECT language, emotion, count(*) FROM kept GROUP BY ALL")
    emotions = dataset.emotions
    rows = []
    for language in dataset.languages:
        cells = [counts.get((language, emotion), 0) for emotion in emotions]
        rows.append([_name(language), *map(_number, cells), _number(sum(cells))])
    sums = [sum(counts.get((code, one), 0) for code in dataset.languages) for one in emotions]
    rows.append(["all", *map(_number, sums), _number(sum(sums))])
    return Table(("language", *emotions, "all"), rows)


def by_split(dataset: DatasetFolder) -> Table:
    """Kept takes and their length by language and split."""
    found = dataset.rows(
        "SELECT language, split, count(*) AS takes, sum(duration_s) AS seconds "
        "FROM kept GROUP BY ALL"
    )
    cells = {(row["language"], row["split"]): row for row in found}
    rows = []
    for language in dataset.languages:
        parts = [cells.get((language, split)) for split in SPLITS]
        rows.append([_name(language), *(_takes_and_time(part) for part in parts)])
    return Table(("language", *SPLITS), rows)


def voices(dataset: DatasetFolder) -> Table:
    """The voices of the kept takes, the most used first."""
    found = dataset.rows(
        "SELECT voice, min(gender) AS gender, count(*) AS takes, sum(duration_s) AS seconds, "
        "count(DISTINCT speaker_id) AS speakers FROM kept GROUP BY voice "
        "ORDER BY takes DESC, voice LIMIT $1",
        [_VOICES],
    )
    rows = [
        [row["voice"], row["gender"], *map(_number, (row["speakers"], row["takes"])), row["length"]]
        for row in ({**row, "length": spoken(row["seconds"])} for row in found)
    ]
    return Table(("voice", "gender", "speakers", "takes", "length"), rows)


def removed(dataset: DatasetFolder) -> Table:
    """For every gate and choice: its rule, how many takes it removed, and whom it hits hardest."""
    judged = dataset.value("SELECT count(*) FROM takes")
    rows = []
    for name, rule in reasons_of(dataset.recipe).items():
        [counts] = dataset.rows(
            "SELECT count(*) FILTER (reason = $1) AS first, "
            "count(*) FILTER (list_contains(failed_gates, $1)) AS failed FROM rejects",
            [name],
        )
        rows.append([name, rule, _of(counts["first"], judged), _of(counts["failed"], judged)])
    return Table(("gate or choice", "rule", "removed first", "failed in all"), rows)


def failed_by(dataset: DatasetFolder, column: str) -> Table:
    """Share of judged takes that fail each gate, by emotion or language."""
    groups = dataset.emotions if column == "emotion" else dataset.languages
    judged = _counts(dataset, f"SELECT {column}, count(*) FROM takes GROUP BY ALL")  # noqa: S608
    failed = _counts(
        dataset,
        f"SELECT gate, {column}, count(*) FROM "  # noqa: S608 - one of our own columns
        f"(SELECT unnest(failed_gates) AS gate, {column} FROM rejects) GROUP BY ALL",
    )
    rows = [
        [name, *(_share(failed.get((name, group), 0), judged.get((group,), 0)) for group in groups)]
        for name in gates_of(dataset.recipe)
    ]
    names = groups if column == "emotion" else [_name(code) for code in groups]
    return Table(("gate", *names), rows)


def lost_by(dataset: DatasetFolder, column: str) -> Table:
    """Judged takes that any gate removed, by emotion, language or gender, the most hit first."""
    rows = []
    for loss in losses(dataset, column):
        name = _name(loss.group) if column == "language" else loss.group
        low, high = (f"{100 * bound:.1f}" for bound in loss.interval)
        rows.append([name, _number(loss.judged), _of(loss.lost, loss.judged), f"{low} to {high} %"])
    return Table((column, "judged", "lost to the gates", "95 % interval"), rows)


@dataclass(frozen=True)
class Loss:
    """How many of a group's judged takes the gates removed; `interval` of the share, at 95 %."""

    group: str
    judged: int
    lost: int

    @property
    def share(self) -> float:
        """Part of the judged takes that is lost."""
        return self.lost / self.judged

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (Wilson 1927, JASA 22), as if takes were independent."""
        z2, n, p = _Z_95**2, self.judged, self.share
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z_95 * (p * (1 - p) / n + z2 / (4 * n * n)) ** 0.5 / (1 + z2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)


def losses(dataset: DatasetFolder, column: str) -> list[Loss]:
    """What the gates removed, by emotion, language or gender, the most hit first."""
    found = dataset.rows(
        f"SELECT {column} AS name, count(*) AS judged, "  # noqa: S608 - one of our own columns
        f"count(*) FILTER (list_contains($1, reason)) AS lost FROM takes GROUP BY {column} "
        "ORDER BY lost / judged DESC, name",
        [list(gates_of(dataset.recipe))],
    )
    return [Loss(row["name"], row["judged"], row["lost"]) for row in found]


def hit_beyond_chance(dataset: DatasetFolder) -> tuple[str, list[str]]:
    """The share that the gates took of all, and the groups whose interval lies above it."""
    groups = [loss for column in _GROUPED for loss in losses(dataset, column)]
    judged = dataset.value("SELECT count(*) FROM takes")
    lost = sum(loss.lost for loss in losses(dataset, _GROUPED[0]))
    hit = [loss.group for loss in groups if loss.interval[0] > lost / judged]
    return _share(lost, judged), [language_name(one) if one in LANGUAGES else one for one in hit]


def hardest_hit(dataset: DatasetFolder, unequal: float) -> list[tuple[str, str, str, str, str]]:
    """For each gate: the emotion that it fails most and least often, if the shares differ so."""
    hits = []
    for gate in gates_of(dataset.recipe):
        rows = dataset.rows(
            "SELECT emotion, count(*) AS judged, "
            "count(*) FILTER (list_contains(failed_gates, $1)) AS failed "
            "FROM takes GROUP BY emotion ORDER BY failed / judged DESC, emotion",
            [gate],
        )
        shares = [row["failed"] / row["judged"] for row in rows]
        if rows and shares[0] - shares[-1] >= unequal:
            most, least = rows[0], rows[-1]
            hits.append(
                (
                    gate,
                    most["emotion"],
                    _of(most["failed"], most["judged"]),
                    least["emotion"],
                    _of(least["failed"], least["judged"]),
                )
            )
    return hits


def retention(dataset: DatasetFolder, column: str) -> Table | None:
    """By emotion or language: means of what was measured of the emotion on the kept takes."""
    present = {name: title for name, title in _OF_EMOTION.items() if name in dataset.score_names}
    if not present:
        return None
    means = ", ".join(
        f"avg({score(name)}) FILTER (isfinite({score(name)})) AS {name}" for name in present
    )
    found = dataset.rows(f"SELECT {column}, {means} FROM kept GROUP BY {column}")  # noqa: S608
    by_name = {row[column]: row for row in found}
    groups = dataset.emotions if column == "emotion" else dataset.languages
    rows = [
        [
            _name(group) if column == "language" else group,
            *(_mean(by_name[group][name]) for name in present),
        ]
        for group in groups
        if group in by_name
    ]
    return Table((column, *present.values()), rows)


def rejected_lines(dataset: DatasetFolder) -> Table | None:
    """Lines that were never spoken, by language and the first text gate that they failed."""
    file = dataset.path / FILE
    if not file.is_file():
        return None
    found = dataset.rows(
        "SELECT language, reason, count(*) AS lines FROM read_parquet($1) GROUP BY ALL "
        "ORDER BY lines DESC, language, reason",
        [str(file)],
    )
    rows = [[_name(row["language"]), row["reason"], _number(row["lines"])] for row in found]
    return Table(("language", "gate", "lines"), rows)


def failures(dataset: DatasetFolder) -> Table:
    """Failed rows by stage and error, the most frequent first."""
    found = dataset.rows(
        "SELECT stage, error, count(*) AS rows FROM failures GROUP BY ALL "
        "ORDER BY rows DESC, stage, error LIMIT $1",
        [_ERRORS],
    )
    rows = [[row["stage"], row["error"], _number(row["rows"])] for row in found]
    return Table(("stage", "error", "rows"), rows)


def _counts(dataset: DatasetFolder, sql: str) -> dict[tuple[str, ...], int]:
    """Counts of a query whose last column is the count, by the columns before it."""
    found = [tuple(row.values()) for row in dataset.rows(sql)]
    return {row[:-1]: row[-1] for row in found}


def _name(language: str) -> str:
    return language_name(language)  # type: ignore[arg-type]


def _number(value: int) -> str:
    return f"{value:,}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _of(part: int, whole: int) -> str:
    return f"{part:,} ({_share(part, whole)})"


def _mean(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _takes_and_time(part: dict[str, Any] | None) -> str:
    return f"{part['takes']:,} ({spoken(part['seconds'])})" if part else "–"
