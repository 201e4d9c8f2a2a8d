"""The numbers of the dataset card, each a query over the folder's columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.cards.changes import Change, Changes, Dimension
from pipeline.cards.emotion_scores import emotion_scores
from pipeline.cards.losses import Loss
from pipeline.cards.rules import gates_of, reasons_of
from pipeline.cards.templates import spoken
from pipeline.dataset.layout import REJECTED_LINES
from pipeline.dataset.reading import SPLITS, DatasetFolder, score
from pipeline.languages import language_name

_ERRORS = 10
VOICES = 40


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
        rows.append([language_name(language), *map(_number, cells), _number(sum(cells))])
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
        rows.append([language_name(language), *(_takes_and_time(part) for part in parts)])
    return Table(("language", *SPLITS), rows)


def voices(dataset: DatasetFolder) -> Table:
    """The judged voices, the most used first: their kept takes, and what the gates took.

    At most `VOICES` of them. A part of a set holds no rejects, so that nothing can be told there
    of the gates.
    """
    found = dataset.rows(
        "SELECT voice, min(gender) AS gender, count(DISTINCT speaker_id) AS speakers, "
        "count(*) FILTER (reason IS NULL) AS kept, count(*) AS judged, "
        "coalesce(sum(duration_s) FILTER (reason IS NULL), 0) AS seconds, "
        "count(*) FILTER (list_contains($1, reason)) AS lost FROM takes GROUP BY voice "
        "ORDER BY kept DESC, voice LIMIT $2",
        [list(gates_of(dataset.recipe)), VOICES],
    )
    rows = [
        [
            row["voice"],
            row["gender"],
            _number(row["speakers"]),
            _number(row["kept"]),
            spoken(row["seconds"]),
            share_of(row["lost"], row["judged"]),
        ]
        for row in found
    ]
    header = ("voice", "gender", "speakers", "kept", "length", "lost to the gates")
    if dataset.is_part:
        return Table(header[:-1], [row[:-1] for row in rows])
    return Table(header, rows)


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
        rows.append(
            [name, rule, share_of(counts["first"], judged), share_of(counts["failed"], judged)]
        )
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
    names = groups if column == "emotion" else [language_name(code) for code in groups]
    return Table(("gate", *names), rows)


def lost_by(column: str, groups: Sequence[Loss]) -> Table:
    """Judged takes that any gate removed, in the order of the groups of a column."""
    rows = []
    for loss in groups:
        name = language_name(loss.group) if column == "language" else loss.group
        low, high = (f"{100 * bound:.1f}" for bound in loss.interval)
        lost = share_of(sum(loss.lost), loss.takes)
        rows.append([name, _number(loss.takes), lost, f"{low} to {high} %"])
    return Table((column, "judged", "lost to the gates", "95 % interval"), rows)


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
                    share_of(most["failed"], most["judged"]),
                    least["emotion"],
                    share_of(least["failed"], least["judged"]),
                )
            )
    return hits


def retention(dataset: DatasetFolder, column: str, changed: Changes) -> Table | None:
    """By emotion or language: medians of what was measured of the emotion on the kept takes.

    Of a score they are those of all judged takes too, since the kept ones may have been chosen by
    it; of a change of the voice, of what was asked for and of what was measured.
    """
    present = emotion_scores(dataset)
    if not present:
        return None
    views = ["kept"] if dataset.is_part else ["kept", "takes"]
    by_view = [_medians(dataset, column, view, present) for view in views]
    by_name = by_view[0]
    groups = dataset.emotions if column == "emotion" else dataset.languages
    rows = [
        [
            language_name(group) if column == "language" else group,
            *(" / ".join(_median(one[group][name]) for one in by_view) for name in present),
            *(_change(one, by_group.get(group)) for one, by_group in changed.items()),
        ]
        for group in groups
        if group in by_name
    ]
    whom = "" if len(views) == 1 else ", kept / judged"
    titles = [f"{named.column}{whom}" for named in present.values()]
    return Table((column, *titles, *(one.header for one in changed)), rows)


def _medians(
    dataset: DatasetFolder, column: str, view: str, names: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Medians of scores over the takes of a view, by emotion or language."""
    medians = ", ".join(
        f"median({score(name)}) FILTER (isfinite({score(name)})) AS {name}" for name in names
    )
    found = dataset.rows(f"SELECT {column}, {medians} FROM {view} GROUP BY {column}")  # noqa: S608
    return {row[column]: row for row in found}


def rejected_lines(dataset: DatasetFolder) -> Table | None:
    """Lines that were never spoken, by language and the first text gate that they failed."""
    if not (dataset.path / REJECTED_LINES).is_file():
        return None
    found = dataset.rows(
        "SELECT language, reason, count(*) AS lines FROM rejected_lines GROUP BY ALL "
        "ORDER BY lines DESC, language, reason"
    )
    rows = [[language_name(row["language"]), row["reason"], _number(row["lines"])] for row in found]
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


def _number(value: int) -> str:
    return f"{value:,}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def share_of(part: int, whole: int) -> str:
    return f"{part:,} ({_share(part, whole)})"


def _median(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _change(dimension: Dimension, change: Change | None) -> str:
    """Medians of what was asked for and of what was measured."""
    if change is None:
        return "–"
    # Adding nothing makes a rounded -0 a 0.
    medians = (round(one[1], dimension.decimals) + 0.0 for one in (change.asked, change.got))
    return " → ".join(f"{median:+.{dimension.decimals}f}" for median in medians)


def _takes_and_time(part: dict[str, Any] | None) -> str:
    return f"{part['takes']:,} ({spoken(part['seconds'])})" if part else "–"
