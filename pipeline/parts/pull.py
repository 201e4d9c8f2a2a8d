"""A part of a set: the shards that the manifest says are needed, and of them only some rows."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from pipeline.dataset.layout import BUILD, DATA, FAILURES, RECIPE
from pipeline.dataset.manifest import FileEntry, Manifest
from pipeline.dataset.reading import open_folder
from pipeline.dataset.shards import ShardWriter, kept_schema, write_failures
from pipeline.engine import digest, file_sha256
from pipeline.errors import InputError
from pipeline.hub.push import Advance
from pipeline.parts.sample import Rows, enough
from pipeline.parts.source import SetSource
from pipeline.plain import plain
from pipeline.recipe import Recipe, published
from pipeline.recipe_file import parse_recipe
from pipeline.verify.claims import check_rows, read_build
from pipeline.verify.findings import Findings
from pipeline.verify.shards import WantedClip, clip_fault, schema_fault, wanted_clip

_LARGEST_ROW = 1 << 24
"""Bytes of a row as it is written again: eight minutes of raw speech at 16 kHz, and more by FLAC.
Assumed: a writer holds 256 of them."""
Group = tuple[str, str]
"""A language and a split."""
_ASK = "see who published this"
_TOLD = 3
"""Problems of the rows that are named."""


@dataclass(frozen=True)
class Selection:
    """What to take; None is all. `hours`: of speech, at most, in the set's own proportions of
    languages, splits and emotions."""

    languages: tuple[str, ...] | None = None
    emotions: tuple[str, ...] | None = None
    splits: tuple[str, ...] | None = None
    hours: float | None = None


@dataclass(frozen=True)
class Pulled:
    """Bytes that were read; languages and splits whose share of the hours has no clip."""

    read_bytes: int
    left_out: tuple[Group, ...]


@dataclass(frozen=True)
class _Shard:
    """`seconds`: by emotion, of those that are wanted."""

    name: str
    entry: FileEntry
    seconds: dict[str, float]


def needed_shards(manifest: Manifest, selection: Selection) -> dict[Group, list[_Shard]]:
    """The shards that have what is wanted, and how much of it, by language and split.

    Raises:
        InputError: a name is not in the manifest, the hours are none, or nothing is left.
    """
    if selection.hours is not None and not selection.hours > 0:
        raise InputError(f"--hours: {selection.hours} is no length of speech: say more than 0")
    groups: dict[Group, list[_Shard]] = defaultdict(list)
    known: dict[str, set[str]] = {"languages": set(), "emotions": set(), "splits": set()}
    for name, entry in manifest.shards():
        if name.count("/") != 2:
            raise InputError(f"'{name}' is no name of a shard: the set is not what m5ser wrote")
        _, language, file = name.split("/")
        split = file.split("-", 1)[0]
        emotions = entry.emotions or {}
        known["languages"].add(language)
        known["splits"].add(split)
        known["emotions"] |= set(emotions)
        taken = [one for one in emotions if _wanted(selection.emotions, one)]
        seconds = {one: emotions[one].seconds for one in taken}
        if taken and _wanted(selection.languages, language) and _wanted(selection.splits, split):
            groups[language, split].append(_Shard(name, entry, seconds))
    _refuse_unknown(selection, known)
    if not groups:
        raise InputError("nothing in the set is all of that: ask for less")
    return dict(groups)


def _wanted(names: Sequence[str] | None, name: str) -> bool:
    return names is None or name in names


def _refuse_unknown(selection: Selection, known: dict[str, set[str]]) -> None:
    for field, names in known.items():
        for name in getattr(selection, field) or ():
            if name not in names:
                listed = ", ".join(sorted(names)) or "nothing"
                raise InputError(f"--{field}: '{name}' is not in the set; it has: {listed}")


def pull(
    source: SetSource,
    manifest: Manifest,
    selection: Selection,
    folder: Path,
    advance: Advance,
) -> Pulled:
    """Write the rows, the recipe and the facts of a part of a set.

    Raises:
        InputError: see `needed_shards`; a shard is missing or not what the manifest says; a row
            or its clip is not what a build writes; or the hours are fewer than a single clip has.
    """
    groups = needed_shards(manifest, selection)
    _refuse_missing(groups, source)
    recipe = parse_recipe(source.text(RECIPE) or "")
    schema, clip = kept_schema(recipe.score_names, recipe.sampling_rate), wanted_clip(recipe)
    wanted_s = _wanted_seconds(groups, selection.hours)
    chosen = {
        group: enough(shards, wanted_s[group]) if group in wanted_s else shards
        for group, shards in groups.items()
    }
    due = sum(shard.entry.bytes for shards in chosen.values() for shard in shards)
    done = 0
    left_out = []
    for (language, split), shards in chosen.items():
        paths: list[Path] = []
        for shard in shards:
            paths.append(_sound(source, shard, schema))
            done += shard.entry.bytes
            advance(done, due)
        mask = _mask(paths, selection.emotions, wanted_s.get((language, split)))
        if not _write(folder / DATA / language / split, paths, mask, clip):
            left_out.append((language, split))
    if not (folder / DATA).exists():
        hours = f"--hours: {selection.hours} have room for no clip: ask for more"
        raise InputError(hours if selection.hours else "the shards hold none of what the set says")
    _write_facts(source, manifest, selection, recipe, folder)
    _refuse_rows(source, folder)
    return Pulled(done, tuple(left_out))


def _refuse_missing(groups: dict[Group, list[_Shard]], source: SetSource) -> None:
    for name in (shard.name for shards in groups.values() for shard in shards):
        if not source.has(name):
            raise InputError(
                f"'{name}' is in the manifest of '{source.name}' and not there: {source.mend}"
            )


def _wanted_seconds(
    groups: dict[Group, list[_Shard]], hours: float | None
) -> dict[Group, dict[str, float]]:
    """Seconds of each emotion that `hours` allow: the same part of every language and split.

    None at all where all of it is allowed.
    """
    held: dict[Group, Counter[str]] = {group: Counter() for group in groups}
    for group, shards in groups.items():
        for shard in shards:
            held[group].update(shard.seconds)
    total = sum(sum(seconds.values()) for seconds in held.values())
    if hours is None or hours * 3600 >= total:
        return {}
    share = hours * 3600 / total
    return {
        group: {emotion: share * seconds for emotion, seconds in by_emotion.items()}
        for group, by_emotion in held.items()
    }


def _sound(source: SetSource, shard: _Shard, schema: pa.Schema) -> Path:
    """A shard on this machine that is what the manifest says and a build writes."""
    path = source.file(shard.name)
    if file_sha256(path) != shard.entry.sha256:
        raise InputError(f"'{shard.name}' of '{source.name}' is not what its manifest says")
    try:
        wrong = schema_fault(path, schema)
    except pa.ArrowException as error:
        wrong = f"it is no Parquet that can be read: {error}"
    if wrong:
        raise InputError(f"'{shard.name}' of '{source.name}': {wrong}")
    return path


def _mask(
    paths: Sequence[Path], emotions: Sequence[str] | None, wanted_s: dict[str, float] | None
) -> np.ndarray:
    """Which rows [N] of all these shards are taken: those of these emotions, or so much of each."""
    if wanted_s is None:
        every = (row["emotion"] for row in _rows_of(paths, ["emotion"]))
        return np.fromiter((_wanted(emotions, one) for one in every), bool)
    rows = Rows()
    for row in _rows_of(paths, ["emotion", "duration_s", "source_id"]):
        seconds = row["duration_s"]
        if seconds is None or not 0 <= seconds < math.inf:
            raise InputError(plain(f"a clip of '{row['source_id']}' lasts {seconds} s: {_ASK}"))
        rows.add(str(row["emotion"]), seconds, str(row["source_id"]))
    return rows.spread(wanted_s)


def _write(stem: Path, paths: Sequence[Path], mask: np.ndarray, clip: WantedClip) -> int:
    """Write the rows that are taken, whose clips are what they say; how many."""
    total = int(mask.sum())
    if not total:
        return 0
    shard_rows = max(pq.read_metadata(path).num_rows for path in paths)
    with ShardWriter(stem, pq.read_schema(paths[0]), total, shard_rows) as writer:
        for row in compress(_rows_of(paths), mask):
            if fault := clip_fault(row, clip):
                where = f"{stem.parent.name}/{stem.name}, {row['take_id']}"
                raise InputError(plain(f"{where}: {fault}: {_ASK}"))
            writer.write(row)
    return total


def _rows_of(paths: Sequence[Path], columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of some shards; see `_single_rows`."""
    return chain.from_iterable(_single_rows(path, columns) for path in paths)


def _single_rows(path: Path, columns: list[str] | None) -> Iterator[dict[str, Any]]:
    """Rows one by one, as many that share an entry of a Parquet dictionary may fill the memory.

    Raises:
        InputError: a row can't be read, or is larger than any that a build writes.
    """
    try:
        with pq.ParquetFile(path) as file:
            for at, row in enumerate(file.iter_batches(batch_size=1, columns=columns)):
                if row.nbytes > _LARGEST_ROW:
                    raise InputError(
                        f"'{path.name}': row {at} unpacks to {row.nbytes / 1e6:.0f} MB, and at "
                        f"most {_LARGEST_ROW / 1e6:.0f} MB are written again: {_ASK}"
                    )
                yield from row.to_pylist()
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise InputError(plain(f"'{path.name}' can't be read ({error}): {_ASK}")) from error


def _refuse_rows(source: SetSource, folder: Path) -> None:
    """Refuse a part that no card can describe: its rows lack ids or labels, or have unknown ones.

    Raises:
        InputError: with the first of what is wrong.
    """
    findings = Findings()
    with open_folder(folder) as dataset:
        check_rows(dataset, findings)
    if findings.wrong:
        told = "; ".join(findings.sentences()[:_TOLD])
        raise InputError(f"'{source.name}' is not what m5ser writes: {told}: {_ASK}")


def _write_facts(
    source: SetSource,
    manifest: Manifest,
    selection: Selection,
    recipe: Recipe,
    folder: Path,
) -> None:
    """The recipe of the part, what its build was, and what the part is of."""
    build = read_build(source.text(BUILD) or "{}")
    there = {path.parent.name for path in (folder / DATA).glob("*/*.parquet")}
    languages = tuple(one for one in recipe.languages if one in there)
    build["part"] = {
        "repository": source.name,
        "revision": source.revision,
        "fingerprint": manifest.fingerprint,
        **{name: value and list(value) for name, value in _names(selection).items()},
        "hours": selection.hours,
    }
    build["fingerprint"] = digest(manifest.fingerprint, source.revision, build["part"])
    cut = published(recipe.model_copy(update={"languages": languages}))
    text = yaml.safe_dump(cut, sort_keys=False, allow_unicode=True)
    (folder / RECIPE).write_text(text, encoding="utf-8")
    facts = json.dumps(build, indent=1, ensure_ascii=False) + "\n"
    (folder / BUILD).write_text(facts, encoding="utf-8")
    write_failures(folder / FAILURES, [])


def _names(selection: Selection) -> dict[str, tuple[str, ...] | None]:
    return {name: getattr(selection, name) for name in ("languages", "emotions", "splits")}
