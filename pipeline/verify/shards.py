"""Every row of every shard: its schema, its clip, and that it is marked as synthetic."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from pipeline.dataset.layout import DATA, REJECTS
from pipeline.dataset.reading import parquet_files
from pipeline.dataset.shards import kept_schema, rejects_schema
from pipeline.plain import plain
from pipeline.provenance.flac import NotFlac, comments_of, with_comments
from pipeline.recipe import Recipe
from pipeline.verify.findings import Findings
from pipeline.writing.rows import clip_marks

_LARGEST_GROUP = 1 << 30
"""Bytes of a row group, packed by dictionary at most, that are still read."""
_BLOCK_SAMPLES = 1 << 16
_LONGEST_S = 600.0
"""Of a clip that is still decoded. Assumed: twenty times the longest recording that comes in at the
door by default, and no line is longer."""
_COLUMNS = ["take_id", "audio", "sampling_rate", "duration_s", "is_synthetic"]
_GENERATOR = "m5ser"
_VERSION = re.compile(r" \d[\w.+-]*\Z")
"""As it stands after the generator's name; which one it is only whoever built the set knows."""
_SHOWN = 80


@dataclass(frozen=True)
class WantedClip:
    """What the recipe gives every clip: its rate, and its marks, the generator by name alone."""

    sampling_rate: int
    marks: Mapping[str, str]


def wanted_clip(recipe: Recipe) -> WantedClip:
    """What every clip of a recipe has."""
    return WantedClip(recipe.sampling_rate, clip_marks(recipe, _GENERATOR))


def check_schemas(folder: Path, recipe: Recipe, findings: Findings) -> list[Path]:
    """Every shard has the columns that this recipe gives; returns those that can be looked into."""
    schemas = {
        DATA: kept_schema(recipe.score_names, recipe.sampling_rate),
        REJECTS: rejects_schema(recipe.score_names, recipe.sampling_rate),
    }
    good = []
    for part, schema in schemas.items():
        for shard in parquet_files(folder, part):
            name = shard.relative_to(folder).as_posix()
            with findings.reading("schema", name):
                if wrong := schema_fault(shard, schema):
                    findings.report("schema", name, wrong)
                else:
                    good.append(shard)
    findings.checks["schema"] = f"{len(good)} shards"
    return good


def schema_fault(shard: Path, wanted: pa.Schema) -> str | None:
    """What keeps a shard from being read as one of this schema, None if nothing does."""
    with pq.ParquetFile(shard) as file:
        found: pa.Schema = file.schema_arrow
        groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
    if any(group.total_byte_size > _LARGEST_GROUP for group in groups):
        return f"a row group unpacks to more than {_LARGEST_GROUP >> 30} GiB"
    for column in wanted:
        at = found.get_field_index(column.name)
        if at < 0:
            return f"the column '{column.name}' is missing"
        if found.field(at).type != column.type:
            kind = plain(str(found.field(at).type))
            return f"the column '{column.name}' is {kind} and not {column.type}"
    more = set(found.names) - set(wanted.names)
    if more:
        return f"the column '{plain(min(more))}' is none of a set's"
    if _features(found) != _features(wanted):
        return "its features for the Hub are not those of its columns"
    return None


def _features(schema: pa.Schema) -> bytes | None:
    """The Hub's features, of a shard that has some."""
    return (schema.metadata or {}).get(b"huggingface")


def check_clips(folder: Path, recipe: Recipe, shards: list[Path], findings: Findings) -> None:
    """Every clip decodes, has its stated length and rate, and says in row and file what it is."""
    wanted = wanted_clip(recipe)
    clips = 0
    for shard in shards:
        name = shard.relative_to(folder).as_posix()
        with findings.reading("clips", name):
            for row in _rows(shard):
                clips += 1
                if fault := clip_fault(row, wanted):
                    findings.report("clips", f"{name}, {row['take_id']}", fault)
    findings.checks["clips"] = f"{clips} clips decoded"


def _rows(shard: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(shard) as file:
        # One by one: rows that share an entry of a dictionary unpack to many times their group.
        for batch in file.iter_batches(batch_size=1, columns=_COLUMNS):
            yield from batch.to_pylist()


def clip_fault(row: dict[str, Any], wanted: WantedClip) -> str | None:
    """What is wrong with the clip of a row, None if nothing is; never in memory as a whole.

    Its header is read before its samples, lest it unpack to hours.
    """
    if fault := _row_fault(row, wanted):
        return fault
    stated = round(row["duration_s"] * row["sampling_rate"])
    try:
        with soundfile.SoundFile(io.BytesIO(row["audio"]["bytes"])) as file:
            frames, rate, channels = file.frames, file.samplerate, file.channels
            fits = (frames, rate, channels) == (stated, row["sampling_rate"], 1)
            read = _samples(file) if fits else frames
    except soundfile.LibsndfileError as error:
        return f"the clip can't be decoded: {error}"
    if not fits:
        return (
            f"the clip has {frames} samples at {rate} Hz in {channels} channels, and its row says "
            f"{stated} at {row['sampling_rate']} Hz"
        )
    if read != frames:
        return f"the clip breaks off after {read} of {frames} samples"
    return _mark_fault(row["audio"]["bytes"], {**wanted.marks, "TAKE_ID": row["take_id"]})


def _samples(clip: soundfile.SoundFile) -> int:
    """Samples that can be decoded; in blocks, since hours of silence are a small file."""
    return sum(iter(lambda: len(clip.read(_BLOCK_SAMPLES, dtype="int16")), 0))


def _row_fault(row: dict[str, Any], wanted: WantedClip) -> str | None:
    if row["is_synthetic"] is not True:
        return "is_synthetic is not true"
    empty = [name for name in ("audio", "sampling_rate", "duration_s") if row[name] is None]
    if empty or row["audio"]["bytes"] is None:
        return f"its {empty[0] if empty else 'audio'} is empty"
    if not 0 <= row["duration_s"] * row["sampling_rate"] < math.inf:
        return f"its duration_s is {row['duration_s']} at {row['sampling_rate']} Hz"
    if row["duration_s"] > _LONGEST_S:
        return f"its duration_s is {row['duration_s']:.0f}, and at most {_LONGEST_S:.0f} are read"
    if row["sampling_rate"] != wanted.sampling_rate:
        return (
            f"its sampling_rate is {row['sampling_rate']}, and the recipe's {wanted.sampling_rate}"
        )
    return None


def _mark_fault(clip: bytes, marks: Mapping[str, str]) -> str | None:
    """Whether the file itself, taken out of its row, still says that it is this synthetic take."""
    try:
        found = comments_of(clip)
        generator = found.get("GENERATOR", "")
        said = {**found, "GENERATOR": _VERSION.sub("", generator)}
        for name, value in marks.items():
            if said.get(name) != value:
                return (
                    "its FLAC comments don't say that it is this take, and synthetic: "
                    f"{name} is '{found.get(name, '')[:_SHOWN]}' and not '{value}'"
                )
        if with_comments(clip, {**marks, "GENERATOR": generator}) != clip:
            return "its FLAC comments say more than that it is this take, and synthetic"
    except NotFlac as error:
        return f"the clip is no FLAC: {error}"
    return None
