"""MANIFEST.json: every file of a folder with its hash, its size, its rows and seconds."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.dataset.layout import BUILD, MANIFEST, is_of_a_set
from pipeline.dataset.row_index import write_row_index
from pipeline.engine import file_sha256
from pipeline.errors import InputError
from pipeline.plain import plain

_TOOLS = frozenset({".git", ".cache"})
"""What git and the Hub's client keep at the top of a folder that they made."""
_SPEECH = {"emotion": pa.string(), "duration_s": pa.float64()}
_BATCH_ROWS = 64
_MOST_ROWS = 1 << 22
"""Rows of a shard that are still read: by dictionary, a thousand bytes can be a billion rows."""
_MOST_EMOTIONS = 100
_LONGEST_WORD = 100


class BadManifest(InputError):
    """A manifest that is missing, or that is not what m5ser writes."""


class BadShard(InputError):
    """A shard that holds more than any that a build writes, which is not read to its end."""


def _inside(name: str) -> str:
    """A file's name, which must stay in its folder on every operating system."""
    path = PurePosixPath(name)
    if path.is_absolute() or path.as_posix() != name or not path.parts:
        raise ValueError(f"'{name}' is no plain relative path")
    if ".." in path.parts or set(name) & set('\\:*?"<>|') or not name.isprintable():
        raise ValueError(f"'{name}' does not stay in its folder")
    return name


def _readable(word: str) -> str:
    """A word that is shown as it is, whoever wrote it."""
    if not word.isprintable():
        raise ValueError(f"{word!r} can't be printed")
    return word


_Word = Annotated[str, Field(max_length=_LONGEST_WORD), AfterValidator(_readable)]
_Count = Annotated[int, Field(ge=0, lt=1 << 63)]
# Finite, and so small that the sum of any manifest's is.
_Seconds = Annotated[float, Field(ge=0, le=1e12)]


class Amount(BaseModel):
    """How much of something there is."""

    rows: _Count
    seconds: _Seconds


class FileEntry(BaseModel):
    """A file as the manifest has it; of a shard also what is in it."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: _Count
    rows: _Count | None = None
    seconds: _Seconds | None = None
    emotions: dict[_Word, Amount] | None = None


class Manifest(BaseModel):
    """A manifest from anywhere: its file names stay in the folder, whoever wrote it."""

    model_config = ConfigDict(extra="allow")

    m5ser: str
    recipe: _Word
    fingerprint: str
    files: dict[Annotated[str, AfterValidator(_inside)], FileEntry]

    @property
    def total_bytes(self) -> int:
        """Size of all files."""
        return sum(entry.bytes for entry in self.files.values())

    def shards(self, part: str = "data") -> Iterator[tuple[str, FileEntry]]:
        """The shards of a part (`data`, `rejects`), in the order of their names."""
        for name, entry in sorted(self.files.items()):
            if name.startswith(f"{part}/") and name.endswith(".parquet"):
                yield name, entry


def parse_manifest(text: str | bytes) -> Manifest:
    """The manifest of a JSON text.

    Raises:
        BadManifest: with the first field that is wrong.
    """
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadManifest(plain(f"{MANIFEST}: {field}: {first['msg']}")) from wrong


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises:
        BadManifest: there is none, or it is not what m5ser writes.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BadManifest(
            f"'{folder}' has no {MANIFEST}: give the folder that `m5ser build` wrote, or write "
            "the manifest anew with `m5ser report`"
        )
    return parse_manifest(path.read_bytes())


def walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """All that lies in a folder, by name, but for what git and the Hub's client keep there."""
    for top in sorted(folder.iterdir()):
        if top.name not in _TOOLS:
            inner = top.rglob("*") if top.is_dir() and not top.is_symlink() else ()
            for path in (top, *inner):
                yield path.relative_to(folder).as_posix(), path


def keep_others(old: Path, new: Path) -> None:
    """Move what m5ser did not write from a set's folder into the one that takes its place."""
    tools = [old / name for name in sorted(_TOOLS)]
    others = [
        path
        for name, path in walk(old)
        if (path.is_symlink() or not path.is_dir()) and not is_of_a_set(name) and name != MANIFEST
    ]
    for path in (*tools, *others):
        place = new / path.relative_to(old)
        if (path.exists() or path.is_symlink()) and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)


def write_manifest(folder: Path) -> None:
    """Write the manifest over the files that make the set, with what `build.json` says.

    Whatever else lies in the folder is left out of it, and so stays at home.

    Raises:
        BadShard: a shard holds more than any that a build writes.
    """
    write_row_index(folder)
    facts = json.loads((folder / BUILD).read_text(encoding="utf-8"))
    files = sorted(path for name, path in walk(folder) if path.is_file() and is_of_a_set(name))
    text = manifest_text(facts, folder, files)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def manifest_text(facts: dict[str, Any], folder: Path, files: list[Path]) -> str:
    """A manifest over some files of a folder, with facts before them."""
    described = {}
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            described[name] = describe_file(path)
        except BadShard as bad:
            raise BadShard(f"'{name}': {bad}") from bad
    return json.dumps({**facts, "files": described}, indent=1, ensure_ascii=False) + "\n"


def describe_file(path: Path) -> dict[str, Any]:
    """SHA-256 and bytes of a file; of a shard rows, seconds of speech, and both by emotion.

    Raises:
        BadShard: it holds more than any that a build writes.
    """
    entry: dict[str, Any] = {"sha256": file_sha256(path), "bytes": path.stat().st_size}
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as file:
            entry["rows"], schema = file.metadata.num_rows, file.schema_arrow
        places = {name: schema.get_field_index(name) for name in _SPEECH}
        if all(at >= 0 and schema.field(at).type == _SPEECH[name] for name, at in places.items()):
            entry |= _speech(path)
    return entry


def _speech(path: Path) -> dict[str, Any]:
    # As a dictionary, a word that all rows share is in memory once.
    with pq.ParquetFile(path, read_dictionary=["emotion"]) as file:
        if (rows := file.metadata.num_rows) > _MOST_ROWS:
            raise BadShard(f"it has {rows} rows, and at most {_MOST_ROWS} are read")
        emotions = _by_emotion(file)
        seconds = pc.sum(file.read(["duration_s"])["duration_s"]).as_py() or 0.0
    return {"seconds": round(seconds, 3), "emotions": emotions}


def _by_emotion(file: pq.ParquetFile) -> dict[str | None, dict[str, Any]]:
    """Rows and seconds of each emotion, added row by row, so that the last digit is always one."""
    rows: Counter[str | None] = Counter()
    seconds: defaultdict[str | None, float] = defaultdict(float)
    for group in range(file.num_row_groups):
        for batch in file.iter_batches(_BATCH_ROWS, [group], list(_SPEECH)):
            emotions, durations_s = batch.column("emotion"), batch.column("duration_s")
            _refuse_long(emotions.dictionary)
            pairs = zip(emotions.to_pylist(), durations_s.to_pylist(), strict=True)
            for emotion, duration_s in pairs:
                rows[emotion] += duration_s is not None
                seconds[emotion] += duration_s or 0.0
            if len(rows) > _MOST_EMOTIONS:
                raise BadShard(f"it has more than {_MOST_EMOTIONS} emotions")
    ordered = sorted(rows, key=lambda emotion: (emotion is None, emotion or ""))
    return {one: {"rows": rows[one], "seconds": round(seconds[one], 3)} for one in ordered}


def _refuse_long(words: pa.StringArray) -> None:
    longest = pc.max(pc.binary_length(words)).as_py() or 0
    if longest > _LONGEST_WORD:
        raise BadShard(f"an emotion in it has {longest} letters")
