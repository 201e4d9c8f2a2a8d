"""Reading a finished dataset folder: its numbers by SQL, its audio only when asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.layout import BUILD, DATA, FAILURES, RECIPE, REJECTED_LINES, REJECTS
from pipeline.dataset.prosody import PROSODY
from pipeline.emotions import EMOTIONS
from pipeline.errors import InputError
from pipeline.languages import LANGUAGES
from pipeline.plain import plain
from pipeline.selection.choose import CHOICES
from pipeline.settings_file import BadRecipe, parse_yaml

SPLITS = ("train", "validation", "test")

_TEXTS = (
    "take_id", "source_id", "text", "source_text", "transcript", "language", "emotion",
    "speaker_id", "gender", "voice", "corpus", "synthesizer", "translator",
    "neutral_from", "licence",
)  # fmt: skip
_NUMBERS = ("duration_s", "strength", "limited_db")
_COLUMNS = {**dict.fromkeys(_TEXTS, "VARCHAR"), **dict.fromkeys(_NUMBERS, "DOUBLE")}
_OUTCOME = {
    "split": "VARCHAR",
    "reason": "VARCHAR",
    "score_name": "VARCHAR",
    "score": "DOUBLE",
    "threshold": "DOUBLE",
    "failed_gates": "VARCHAR[]",
}
_LINES = dict.fromkeys(("source_id", "language", "emotion", "licence", "reason"), "VARCHAR")
_FAILURES = dict.fromkeys(("source_id", "take_id", "language", "stage", "error"), "VARCHAR")
_SPLIT_OF_FILE = r"regexp_extract(filename, '([a-z]+)-\d+-of-\d+\.parquet$', 1)"
_MEMORY = "256MB"


class BadFolder(InputError):
    """A folder that is no dataset folder."""


@dataclass(frozen=True)
class DatasetFolder:
    """An open dataset folder.

    SQL sees the views `kept`, `rejects`, `takes` (both: every take that was judged; `reason` is
    null where it was kept), `passed` (those of `takes` that passed every gate, kept or spare),
    `rejected_lines` and `failures`. Each score is a column, see `score`, and so is each number of
    prosody, see `prosody`.
    `emotions`: of the judged takes, in the order of the vocabulary.
    """

    path: Path
    recipe: dict[str, Any]
    build: dict[str, Any]
    score_names: tuple[str, ...]
    emotions: tuple[str, ...]
    connection: duckdb.DuckDBPyConnection

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a query."""
        result = self.connection.execute(sql, list(parameters))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def value(self, sql: str) -> Any:
        """The one value of a query."""
        return self.connection.execute(sql).fetchall()[0][0]

    def columns(self, sql: str) -> dict[str, np.ndarray]:
        """The columns of a query as arrays [N]; null is NaN in a float column."""
        return {
            name: np.ma.filled(values, np.nan) if np.ma.isMaskedArray(values) else values
            for name, values in self.connection.execute(sql).fetchnumpy().items()
        }

    def audio(self, take_ids: Collection[str]) -> dict[str, bytes]:
        """The FLAC bytes of some takes, kept or rejected; of the shards their row groups alone."""
        wanted = set(take_ids)
        found: dict[str, bytes] = {}
        for shard in parquet_files(self.path, DATA) + parquet_files(self.path, REJECTS):
            if len(found) < len(wanted):
                found |= _clips(shard, wanted)
        return found

    @property
    def is_part(self) -> bool:
        """Whether it was pulled from a set as a part of it: what was judged there is not here."""
        return bool(self.build.get("part"))

    @property
    def languages(self) -> tuple[str, ...]:
        """The recipe's languages."""
        return tuple(self.recipe["languages"])


@contextmanager
def open_folder(path: Path, recipe: dict[str, Any] | None = None) -> Iterator[DatasetFolder]:
    """Open a dataset folder for reading; with a resolved recipe in the place of the file's.

    One thread, so that sums of floats come out the same every time.

    Raises:
        FileNotFoundError: the folder has no recipe.yaml or build.json.
        BadRecipe: its recipe is no YAML that a build writes.
    """
    if recipe is None:
        recipe = parse_yaml((path / RECIPE).read_text(encoding="utf-8"))
    build = json.loads((path / BUILD).read_text(encoding="utf-8"))
    kept, rejects = parquet_files(path, DATA), parquet_files(path, REJECTS)
    scores = _score_names([*kept, *rejects])
    with duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY}) as connection:
        nested = _nested([*kept, *rejects])
        takes = {**_COLUMNS, **dict.fromkeys(nested, "DOUBLE"), **_OUTCOME}
        for name, files, split in (("kept", kept, _SPLIT_OF_FILE), ("rejects", rejects, "split")):
            _view(connection, name, files=files, columns=takes, nested=nested, split=split)
        connection.execute(
            "CREATE VIEW takes AS SELECT * FROM kept UNION ALL BY NAME SELECT * FROM rejects"
        )
        spare = f"reason IN ({', '.join(map(_text, CHOICES))})"
        connection.execute(
            f"CREATE VIEW passed AS SELECT * FROM takes WHERE reason IS NULL OR {spare}"  # noqa: S608
        )
        for name, columns in ((REJECTED_LINES, _LINES), (FAILURES, _FAILURES)):
            files = [file for file in [path / name] if file.is_file()]
            _view(
                connection, Path(name).stem, files=files, columns=columns, nested={}, split="NULL"
            )
        found = connection.execute("SELECT DISTINCT emotion FROM takes").fetchall()
        emotions = tuple(emotion for emotion in EMOTIONS if (emotion,) in found)
        yield DatasetFolder(path, recipe, build, scores, emotions, connection)


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Say of a dataset folder that can't be read that it is damaged, and how.

    Raises:
        InputError: a file of it is not what a build writes.
    """
    try:
        yield
    except (ValueError, BadRecipe, pa.ArrowException, duckdb.Error) as why:
        reason = plain(str(why).partition("\n")[0])
        raise InputError(
            f"'{path}' is no dataset folder, or damaged ({reason}): `m5ser verify` says which "
            "file; build or pull it again"
        ) from why


def _clips(shard: Path, wanted: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with pq.ParquetFile(shard) as file:
        for group in range(file.num_row_groups):
            ids = file.read_row_group(group, ["take_id"]).column("take_id").to_pylist()
            places = [place for place, id in enumerate(ids) if id in wanted]
            if places:
                audio = file.read_row_group(group, ["audio"]).column("audio").take(places)
                clips = (clip["bytes"] or b"" for clip in audio.to_pylist())
                found |= zip((ids[place] for place in places), clips, strict=True)
    return found


def parquet_files(path: Path, part: str) -> list[Path]:
    """The shards of a part (`data`, `rejects`), by language in the order of the vocabulary."""
    shards = sorted((path / part).glob("*/*.parquet"))
    known: dict[str, int] = {language: place for place, language in enumerate(LANGUAGES)}
    return sorted(shards, key=lambda shard: known.get(shard.parent.name, len(known)))


def score_column(name: str) -> str:
    """Name of a score's column in the views."""
    return f"score:{name}"


def score(name: str) -> str:
    """A score as an SQL expression."""
    return _identifier(score_column(name))


def prosody(column: str, number: str) -> str:
    """A number of one of the columns of prosody, as an SQL expression."""
    return _identifier(_prosody_column(column, number))


def _prosody_column(column: str, number: str) -> str:
    return f"{column}:{number}"


def _score_names(files: Sequence[Path]) -> tuple[str, ...]:
    if not files:
        return ()
    schema = pq.read_schema(files[0])
    if "scores" not in schema.names:
        return ()
    return tuple(field.name for field in schema.field("scores").type)


def _nested(files: Sequence[Path]) -> dict[str, str]:
    """Columns of the views that lie in a struct of the shards, and where they lie there."""
    present = set(pq.read_schema(files[0]).names) if files else set()
    numbers = {
        _prosody_column(column, number): f"struct_extract({column}, {_text(number)})"
        if column in present
        else "NULL"
        for column, names in PROSODY.items()
        for number in names
    }
    scores = {
        score_column(name): f"struct_extract(scores, {_text(name)})" for name in _score_names(files)
    }
    return {**numbers, **scores}


def _view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    *,
    files: Sequence[Path],
    columns: dict[str, str],
    nested: Mapping[str, str],
    split: str,
) -> None:
    """A view with these columns over these files; a column that they lack is null."""
    present = set(pq.read_schema(files[0]).names) if files else set()
    selected = []
    for column, kind in columns.items():
        source = "NULL"
        if files and column == "split":
            source = split
        elif files and column in nested:
            source = nested[column]
        elif column in present:
            source = _identifier(column)
        selected.append(f"CAST({source} AS {kind}) AS {_identifier(column)}")
    rows = "(SELECT 1) WHERE false"
    if files:
        rows = f"read_parquet({_literal(files)}, filename = true)"
    view = f"CREATE VIEW {name} AS SELECT {', '.join(selected)} FROM {rows}"  # noqa: S608
    connection.execute(view)


def _literal(files: Sequence[Path]) -> str:
    """File names as an SQL list, with the characters of a glob made plain."""
    return "[" + ", ".join(_text(re.sub(r"([\[*?])", r"[\1]", str(file))) for file in files) + "]"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
