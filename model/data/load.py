"""The clips of a split, of all sets of a recipe: each encoded once, with our labels or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.data.clip_set import ClipSet
from model.data.clips import ClipPart, prepare
from model.data.rows import Split
from model.data.sampling import Rows
from model.data.sources import parts, refuse_empty
from model.losses import UNKNOWN
from model.network.encoder import FrozenEncoder
from model.recipe.sets import AnySet, DataSettings, HubSet
from pipeline.errors import InputError

OTHER_LABEL = "label "
"""How the reason begins why a row is not used whose emotion is none of the model's."""


def load_clips(
    data: DataSettings,
    split: Split,
    labels: Sequence[str],
    encoder: FrozenEncoder,
    cache: Path,
    speaker_names: Sequence[str] | None = None,
) -> ClipSet:
    """A split of all sets; what is not in `cache` yet is read, encoded and written there.

    `speaker_names`: those of the training, so that a speaker keeps its number (none: this split's).

    Raises:
        InputError: a set is not what the recipe says, too much of it is unusable, or nothing is
            left.
    """
    refuse_empty(data.sets, split)
    speeds = data.speeds if split == "train" else (1.0,)
    wanted = [
        (one, part, speed)
        for one in data.sets
        for part, speed in product(parts(one, split), range(len(speeds)))
    ]
    played = [(part, speeds[speed]) for _, part, speed in wanted]
    ready = prepare(played, cache, encoder, data.cache == "frames", data.longest_s)
    tables = [
        _labelled(ready[place], one, {"part": place, "speed": speed})
        for place, (one, _, speed) in enumerate(wanted)
    ]
    usable, dropped = _usable(pa.concat_tables(tables), labels, data, split)
    items = tuple(one.items for one in ready)
    return _clip_set(usable, items, encoder, data, labels, dropped, speaker_names)


def _labelled(ready: ClipPart, one: AnySet, numbers: Mapping[str, int]) -> pa.Table:
    """A part's table with its `numbers`, and our emotion where the set's label maps to one."""
    table = ready.table
    for name, number in numbers.items():
        table = table.append_column(name, pa.array(np.full(table.num_rows, number)))
    if isinstance(one, HubSet):
        ours = [one.labels.get(label) for label in table["label"].to_pylist()]
        table = table.append_column("emotion", pa.array(ours, pa.string()))
    else:
        table = table.append_column("emotion", table["label"])
    return table


def _usable(
    table: pa.Table, labels: Sequence[str], data: DataSettings, split: Split
) -> tuple[pa.Table, dict[str, int]]:
    if not table.num_rows:
        raise InputError(
            f"data.sets: no recording and no row of '{split}' was found, though a set may have "
            "some: correct its `splits`, `like` or corpus"
        )
    known = pc.is_in(table["emotion"], pa.array(labels))
    sound = pc.is_null(table["unusable"])
    bad = table.filter(pc.and_not(known, sound))
    if len(bad) > data.most_unusable * table.num_rows:
        first = bad.slice(0, 1).to_pylist()[0]
        raise InputError(
            f"data.sets: {len(bad)} of {table.num_rows} clips of '{split}' are unusable "
            f"(data.most_unusable allows {data.most_unusable:.0%}); '{first['name']}' "
            f"{first['unusable']}; mend or remove such rows"
        )
    once = pc.equal(table["speed"], 0)
    unknown = table["label"].filter(pc.and_(pc.invert(known), once)).value_counts().to_pylist()
    dropped = {f"{OTHER_LABEL}'{one['values']}'": int(one["counts"]) for one in unknown}
    if len(bad):  # too short a clip is unusable at the highest speeds alone
        dropped["unusable audio"] = int(np.bincount(bad["speed"]).max())
    kept = table.filter(pc.and_(known, sound))
    if not len(kept):
        raise InputError(
            f"data.sets: no clip of '{split}' has an emotion of `labels` ({', '.join(labels)}); "
            f"dropped: {', '.join(f'{reason} {n}x' for reason, n in dropped.items()) or 'nothing'}"
            "; say what a set's own labels mean: `engine: datasets` by `labels`, a list by "
            "`corpus.labels`, or by `m5ser evaluate --labels anger=angry`"
        )
    return kept, dropped


def _clip_set(
    table: pa.Table,
    items: tuple[Path, ...],
    encoder: FrozenEncoder,
    data: DataSettings,
    labels: Sequence[str],
    dropped: dict[str, int],
    speaker_names: Sequence[str] | None,
) -> ClipSet:
    languages, language_names = _numbered(table["language"])
    sources, _ = _numbered(table["source"])
    named = pc.if_else(pc.equal(table["speaker"], ""), None, table["speaker"])
    speakers, known_speakers = _numbered(named, speaker_names)
    emotions, _ = _numbered(table["emotion"], labels)
    return ClipSet(
        described=table.select(["name", "source", "speaker"]),
        rows=Rows(emotions, languages, sources, speakers),
        synthetic=table["synthetic"].to_numpy(),
        part=table["part"].to_numpy(),
        speed=table["speed"].to_numpy(),
        start=table["start"].to_numpy(),
        size=table["size"].to_numpy(),
        items=items,
        encoder=encoder,
        holds_frames=data.cache == "frames",
        longest_s=data.longest_s,
        labels=tuple(labels),
        language_names=tuple(language_names.to_pylist()),
        speaker_names=tuple(known_speakers.to_pylist()),
        dropped=dropped,
    )


def _numbered(
    column: pa.ChunkedArray, names: Sequence[str] | None = None
) -> tuple[np.ndarray, pa.Array]:
    """The column as numbers int32 [N], in the order of `names` or else of the alphabet."""
    known = column.unique().drop_null().sort() if names is None else pa.array(names, pa.string())
    numbers = pc.fill_null(pc.index_in(column, known), UNKNOWN)
    return numbers.to_numpy().astype(np.int32), known
