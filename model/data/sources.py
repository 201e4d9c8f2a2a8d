"""Rows of a training set as they lie on disk or on the Hub, part by part, never all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import fsspec
import pyarrow.parquet as pq

from model.data.recordings import may_have, recorded_part
from model.data.rows import Part, Row, Split
from model.recipe.sets import AnySet, CorpusSet, FolderSet, HubSet
from pipeline.dataset.layout import DATA
from pipeline.engine import digest, file_sha256
from pipeline.errors import InputError
from pipeline.selection.choose import BEST_TAKE
from pipeline.verify.shards import schema_fault

_COLUMNS = ("take_id", "source_id", "emotion", "language", "speaker_id", "corpus", "is_synthetic")
_SPLITS: tuple[Split, ...] = get_args(Split)
_HUB_READING = 3
"""Raise it when the same set of `datasets` gives other rows."""
_LARGEST_ROW = 1 << 24
"""Bytes of a row, or of the file that it names: as many as `m5ser pull` takes."""
_ARCHIVES = frozenset({"zip", "tar", "gzip", "bz2", "xz", "lz4", "zstd"})


def parts(data: AnySet, split: Split) -> list[Part]:
    """The parts of a set's split.

    Raises:
        InputError: there is no such set, a column is missing, or a Hub set is not pinned.
    """
    if isinstance(data, CorpusSet):
        return recorded_part(data, split)
    return _folder_parts(data, split) if isinstance(data, FolderSet) else _hub_parts(data, split)


def refuse_empty(sets: Sequence[AnySet], split: Split) -> None:
    """Refuse a split of which no set has a clip, before any is read.

    Raises:
        InputError: with how many clips each split has, where that is known.
    """
    if any(_known_clips(one, split) != 0 for one in sets):
        return
    counts = {name: [_known_clips(one, name) for one in sets] for name in _SPLITS}
    known = [f"{name} {sum(filter(None, n))}" for name, n in counts.items() if None not in n]
    raise InputError(
        f"data.sets: the sets have no clip in '{split}' ({', '.join(known)}): build them with "
        "other `splits`, as `by: [speaker]` where everybody says the same sentences; or name their "
        "own split, for `engine: datasets` in `splits`, for `engine: corpus` in `split`"
    )


def _known_clips(data: AnySet, split: Split) -> int | None:
    """How many clips are in a split, where that is known without reading them."""
    if isinstance(data, FolderSet):
        shards = _shards(data, split)
        count = sum(pq.read_metadata(shard).num_rows for shard in shards)
        return count or (None if data.rejects != "none" and split == "train" else 0)
    if isinstance(data, CorpusSet):
        return None if may_have(data, split) else 0
    return None if split in data.splits else 0


def _folder_parts(data: FolderSet, split: Split) -> list[Part]:
    folder = Path(data.path)
    found = [_shard(folder, shard, {}) for shard in _shards(data, split)]
    if data.rejects != "none" and split == "train":
        only = {"split": split, **({"reason": BEST_TAKE} if data.rejects == "spare" else {})}
        rejects = sorted(folder.glob("rejects/*/*.parquet"))
        found += [_shard(folder, shard, only) for shard in rejects]
    return found


def _shards(data: FolderSet, split: Split) -> list[Path]:
    folder = Path(data.path)
    if not (folder / DATA).is_dir():
        raise InputError(
            f"data.sets: '{data.path}' is no dataset folder: it has no data/; build it by "
            "`m5ser build`, or correct the path"
        )
    return sorted(folder.glob(f"data/*/{split}-*.parquet"))


def _shard(folder: Path, shard: Path, only: Mapping[str, str]) -> Part:
    """A shard's rows, `only` those that have these values in these columns."""
    name = str(shard.relative_to(folder))
    schema = pq.read_schema(shard)
    wanted = (*_COLUMNS, "audio", *only)
    missing = [column for column in wanted if column not in schema.names]
    if missing:
        raise InputError(
            f"data.sets: the shard '{name}' has no column {', '.join(missing)}; build the set "
            "anew, or read it as `engine: datasets` and name its columns"
        )
    if wrong := schema_fault(shard, schema):
        raise InputError(f"data.sets: the shard '{name}': {wrong}; see who published the set")
    return Part(name, digest(file_sha256(shard), dict(only)), lambda: _shard_rows(shard, only))


def _shard_rows(shard: Path, only: Mapping[str, str]) -> Iterator[Row]:
    for row in _single_rows(shard, [*_COLUMNS, "audio", *only]):
        if any(row[column] != value for column, value in only.items()):
            continue
        corpus = row["corpus"]
        yield Row(
            row["take_id"],
            f"{corpus}/{row['source_id']}",
            row["emotion"],
            row["language"],
            f"{corpus}/{row['speaker_id']}",
            row["is_synthetic"],
            (row["audio"] or {}).get("bytes") or b"",
        )


def _single_rows(shard: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Rows one by one: such as share an entry of a dictionary unpack to many times their group.

    Raises:
        InputError: a row is larger than any that a build writes.
    """
    with pq.ParquetFile(shard) as file:
        for at, row in enumerate(file.iter_batches(batch_size=1, columns=columns)):
            if row.nbytes > _LARGEST_ROW:
                raise InputError(
                    f"data.sets: the shard '{shard.name}': row {at} unpacks to "
                    f"{row.nbytes / 1e6:.0f} MB, and at most {_LARGEST_ROW / 1e6:.0f} MB are "
                    "read; see who published the set"
                )
            yield from row.to_pylist()


def _hub_parts(data: HubSet, split: Split) -> list[Part]:
    their_split = data.splits.get(split)
    if their_split is None:
        return []
    name = f"{data.name}:{their_split}"
    key = digest(data.model_dump(mode="json", exclude={"labels", "splits"}), their_split)
    return [
        Part(name, digest(key, _version(data), _HUB_READING), lambda: _hub_rows(data, their_split))
    ]


def _version(data: HubSet) -> object:
    """What changes with the content: a pinned revision, or the state of a folder's files."""
    folder = Path(data.name)
    if folder.is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in files]
    if data.revision is None:
        raise InputError(
            f"data.sets: '{data.name}' has no revision: pin the commit that is meant, so that the "
            "same recipe stays the same training"
        )
    return data.revision


def _hub_rows(data: HubSet, split: str) -> Iterator[Row]:
    from datasets import Audio, load_dataset

    try:
        found = load_dataset(
            data.name, data.config, revision=data.revision, split=split, streaming=True
        )
        features = found.features or found._resolve_features().features
    except (OSError, ValueError) as error:
        raise InputError(f"data.sets: '{data.name}': {error}") from error
    fixed = data.language.startswith("=")
    wanted = [data.audio, data.label, *([] if fixed else [data.language]), *_named(data)]
    missing = [column for column in wanted if column not in features]
    if missing:
        raise InputError(
            f"data.sets: '{data.name}' has no column {', '.join(missing)}; it has "
            f"{', '.join(features)}: name them in the recipe (audio, label, language; speaker and "
            "source, or null)"
        )
    found = found.cast_column(data.audio, Audio(decode=False))
    names = getattr(features[data.label], "names", None)
    own = "/".join(filter(None, (data.name, data.config, split)))
    for number, row in enumerate(_read_through(found, data.name)):
        name = f"{own}/{number}"
        audio, unusable = _audio(row[data.audio], data)
        yield Row(
            name,
            _optional(row, data.source, data.name) or name,
            _label(row[data.label], names),
            data.language[1:] if fixed else str(row[data.language]),
            _optional(row, data.speaker, data.name),
            bool(row.get("is_synthetic", False)),
            audio,
            unusable,
        )


def _named(data: HubSet) -> list[str]:
    """Columns that a set may lack, but that were asked for by another name than ours."""
    fields = HubSet.model_fields
    asked = {"speaker": data.speaker, "source": data.source}
    return [name for field, name in asked.items() if name and name != fields[field].default]


def _read_through(found: Iterable[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    try:
        yield from found
    except (ImportError, RuntimeError) as error:  # torchcodec's, where it or FFmpeg is missing
        reason = (str(error).splitlines() or [repr(error)])[0]
        raise InputError(
            f"data.sets: '{name}' can't be read by `datasets` ({reason}); audio that lies in files "
            "of its own needs torchcodec and FFmpeg: install them, or list the recordings for "
            "`engine: corpus`"
        ) from error


def _label(value: Any, names: Sequence[str] | None) -> str:
    """The set's word for an emotion; `datasets` writes -1 for a row without one."""
    if names is None or value is None:
        return str(value)
    return str(names[value]) if 0 <= value < len(names) else "None"


def _optional(row: dict[str, Any], column: str | None, name: str) -> str:
    """What a row has in a column, within the set; empty where it has nothing."""
    value = row.get(column) if column else None
    return "" if value is None else f"{name}/{value}"


def _audio(audio: dict[str, Any] | None, data: HubSet) -> tuple[bytes, str | None]:
    """A row's clip as it lies in the row or in a file of the set, or why there is none."""
    found, path = (audio or {}).get("bytes") or b"", (audio or {}).get("path")
    if not found and path:
        place = _own_place(path, data)
        if place is None:
            return b"", "names a file that is not the set's own"
        found = _read(place)
    if len(found) > _LARGEST_ROW:
        return b"", f"has more than {_LARGEST_ROW / 1e6:.0f} MB of audio"
    return bytes(found), None


def _own_place(path: str, data: HubSet) -> str | None:
    """Where a file that a row names lies, if it is of the set or in an archive of it.

    A row is anybody's: it may name whatever this machine can read, here or behind an address.
    """
    *within, outer = path.split("::")
    if any(one.partition("://")[0] not in _ARCHIVES for one in within):
        return None
    folder = Path(data.name)
    if not folder.is_dir():
        own = f"hf://datasets/{data.name}@{data.revision}/"
        return path if outer.startswith(own) and ".." not in outer.split("/") else None
    try:
        place = (folder / outer).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or no path at all
        return None
    if "://" in outer or not place.is_relative_to(folder.resolve()):
        return None
    return "::".join([*within, str(place)])


def _read(place: str) -> bytes:
    """What lies at a place, up to a byte more than may be; nothing where nothing is."""
    try:
        with fsspec.open(place, "rb") as file:
            return bytes(file.read(_LARGEST_ROW + 1))
    except (FileNotFoundError, IsADirectoryError):
        return b""
