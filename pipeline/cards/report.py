"""report.html: what was kept and what was thrown away, to be looked at and listened to."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cards.figures import PICTURES
from pipeline.cards.rules import gates_of, reasons_of, score_gates
from pipeline.cards.templates import render_html, spoken
from pipeline.dataset.layout import FIGURES, REPORT
from pipeline.dataset.reading import DatasetFolder, open_folder, score_column
from pipeline.languages import language_name

_EXAMPLES = 10
_AUDIO_BYTES = 7_400_000
"""FLAC in the page, before base64; with five figures it stays under 12 MB."""
_FAILURES = 50
_KEPT = "kept takes"
_OF_A_PART = "This is a part of a set: what the gates removed is in the report of the whole."

Take = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """A gate, or another reason to be rejected: its rule, its counts, and takes to listen to.

    `removed`: takes for which it was the first reason; `failed`: all that did not pass it.
    """

    name: str
    rule: str
    removed: int
    failed: int
    judged: int
    kept: list[Take]
    rejected: list[Take]


def write_report(folder: Path) -> None:
    """Write `report.html` of a dataset folder; the same folder gives the same bytes.

    One file that asks nothing of the network: figures and clips are inside it, up to ten kept and
    ten rejected takes for every reason, chosen by hash and in turn by language.
    """
    with open_folder(folder) as dataset:
        page = render_html(
            "report.html.jinja",
            name=dataset.recipe["name"],
            build=dataset.build,
            tiles=_tiles(dataset),
            figures=_figures(folder),
            sections=_sections(dataset),
            part=dataset.is_part,
            failures=_failures(dataset),
            failure_count=dataset.value("SELECT count(*) FROM failures"),
            languages={code: language_name(code) for code in dataset.languages},
        )
    (folder / REPORT).write_text(page, encoding="utf-8")


def _tiles(dataset: DatasetFolder) -> list[tuple[str, str]]:
    [kept] = dataset.rows(
        "SELECT count(*) AS takes, coalesce(sum(duration_s), 0) AS seconds, "
        "count(DISTINCT voice) AS voices, count(DISTINCT language) AS languages, "
        "count(DISTINCT emotion) AS emotions FROM kept"
    )
    counts = [
        ("takes kept", f"{kept['takes']:,}"),
        ("of speech", spoken(kept["seconds"])),
        ("languages", str(kept["languages"])),
        ("emotions", str(kept["emotions"])),
        ("voices", str(kept["voices"])),
    ]
    if dataset.is_part:
        return counts
    judged = dataset.value("SELECT count(*) FROM takes")
    passed = dataset.value("SELECT count(*) FROM passed")
    failed = dataset.value("SELECT count(*) FROM failures")
    share = f"{passed / judged:.0%}" if judged else "–"
    return [counts[0], ("passed the gates", share), *counts[1:], ("rows failed", f"{failed:,}")]


def _figures(folder: Path) -> list[dict[str, str]]:
    return [
        {"text": picture.text, "data": _base64((folder / FIGURES / name).read_bytes())}
        for name, picture in PICTURES.items()
        if (folder / FIGURES / name).is_file()
    ]


def _sections(dataset: DatasetFolder) -> list[Section]:
    judged = dataset.value("SELECT count(*) FROM takes")
    gates = gates_of(dataset.recipe)
    rules = {_KEPT: _OF_A_PART} if dataset.is_part else reasons_of(dataset.recipe)
    rejected = {name: _choose(dataset, name, name) for name in rules}
    kept = {
        name: _choose(dataset, name, None) if name in (*gates, _KEPT) or rejected[name] else []
        for name in rules
    }
    lists = sum(bool(takes) for takes in (*rejected.values(), *kept.values()))
    every = {take["take_id"] for takes in (*rejected.values(), *kept.values()) for take in takes}
    budget = _Budget(dataset, dataset.audio(every), _AUDIO_BYTES, lists)
    sections = []
    for name, rule in rules.items():
        [counts] = dataset.rows(
            "SELECT count(*) FILTER (reason = $1) AS removed, "
            "count(*) FILTER (list_contains(failed_gates, $1)) AS failed FROM rejects",
            [name],
        )
        asked = [part.score for part in score_gates(gates[name])] if name in gates else []
        sections.append(
            Section(
                name,
                rule,
                **counts,
                judged=judged,
                kept=budget.embed(kept[name], asked),
                rejected=budget.embed(rejected[name], asked),
            )
        )
    return sections


def _choose(dataset: DatasetFolder, salt: str, reason: str | None) -> list[Take]:
    """Up to ten takes with this reason (None: kept ones) by hash, the languages in turn."""
    return dataset.rows(
        # Ranked by their ids alone: whole rows of a large set would fill the memory.
        "WITH ranked AS (SELECT take_id, language, row_number() OVER "
        "(PARTITION BY language ORDER BY md5($1 || take_id)) AS turn "
        "FROM takes WHERE reason IS NOT DISTINCT FROM $2), "
        "chosen AS (SELECT take_id, turn FROM ranked ORDER BY turn, language LIMIT $3) "
        "SELECT takes.* FROM takes JOIN chosen USING (take_id) ORDER BY turn, language",
        [salt, reason, _EXAMPLES],
    )


class _Budget:
    """Hands out what room there is for audio; what a list leaves goes to the lists after it."""

    def __init__(
        self, dataset: DatasetFolder, audio: Mapping[str, bytes], room: int, lists: int
    ) -> None:
        self._dataset = dataset
        self._audio = audio
        self._room = room
        self._lists = lists

    def embed(self, takes: Sequence[Take], asked: Sequence[str]) -> list[Take]:
        """The takes that fit, with their audio as base64, in the order of the languages."""
        if not takes:
            return []
        share = self._room // self._lists
        self._lists -= 1
        shown: list[Take] = []
        for take in takes:
            size = len(self._audio[take["take_id"]])
            if size <= share or (not shown and size <= self._room):
                share -= size
                self._room -= size
                shown.append(self._dressed(take, asked))
        places = self._dataset.languages
        return sorted(shown, key=lambda take: places.index(take["language"]))

    def _dressed(self, take: Take, asked: Sequence[str]) -> Take:
        scores = {name: take[score_column(name)] for name in self._dataset.score_names}
        return {
            **take,
            "audio": _base64(self._audio[take["take_id"]]),
            "asked": {name: scores[name] for name in asked if name in scores},
            "scores": scores,
        }


def _failures(dataset: DatasetFolder) -> list[dict[str, Any]]:
    """The most frequent errors by stage, each with an example."""
    return dataset.rows(
        "SELECT stage, error, count(*) AS rows, min(source_id) AS example FROM failures "
        "GROUP BY stage, error ORDER BY rows DESC, stage, error LIMIT $1",
        [_FAILURES],
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
