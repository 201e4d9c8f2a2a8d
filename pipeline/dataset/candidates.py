"""The takes of a finished set as gates and choices take them: by scores, and who sounds alike."""

from __future__ import annotations

from collections.abc import Iterable
from glob import escape

import numpy as np

from pipeline.dataset.layout import DATA, REJECTS
from pipeline.dataset.reading import DatasetFolder, parquet_files, score
from pipeline.selection.choose import Candidates

KEPT = "SELECT *, '' AS said FROM kept"
EVERY = f"{KEPT} UNION ALL BY NAME SELECT *, coalesce(reason, 'nothing') AS said FROM rejects"  # noqa: S608
"""All takes that were judged."""
_MD5 = "array_slice(audio.bytes, 27, 42)"
"""Of a clip's samples, as FLAC's first block has it (RFC 9639, section 8.2)."""
_UNKNOWN_MD5 = bytes(16)

Columns = dict[str, np.ndarray]


def read_candidates(
    dataset: DatasetFolder, scores: Iterable[str], taken: str = EVERY, *, spoken: bool = True
) -> tuple[Candidates, Columns]:
    """The takes that an SQL query gives, with these scores; and what the folder says of each.

    Of that the columns [N] are: `take_id`, `language`, `emotion`, `said` (the reason why it was
    rejected, empty if it was kept), `score_name`, `score`, `threshold`, and `failed` (gates, by
    commas). N is at least 1. Of what was not `spoken`, as lines, there are no copies to look for.
    """
    names = list(dict.fromkeys(scores))
    selected = "".join(f", {score(name)}" for name in names)
    columns = dataset.columns(
        "SELECT take_id, source_id || '/' || language AS line, language, emotion, said, "  # noqa: S608
        "score_name, score, threshold, array_to_string(failed_gates, ', ') AS failed "
        f"{selected} FROM ({taken}) "
        "ORDER BY take_id"
    )
    ids = columns["take_id"].tolist()
    copies = _copies(dataset) if spoken else {}
    candidates = Candidates(
        ids,
        columns["line"].tolist(),
        columns["language"],
        columns["emotion"].tolist(),
        [copies.get(take_id, str(row)) for row, take_id in enumerate(ids)],
        {name: columns[f"score:{name}"] for name in names},
    )
    return candidates, columns


def _copies(dataset: DatasetFolder) -> dict[str, str]:
    """By take id a name for its audio, of the takes whose samples another has too.

    Nothing is decoded and little held, but all shards are read from the disk: Parquet has no way to
    16 bytes of a clip but by all of them, and no row group can be passed over, as vocoders speak in
    frames (of 1092 takes of the quickstart 870 are as long as another).
    """
    shards = [*parquet_files(dataset.path, DATA), *parquet_files(dataset.path, REJECTS)]
    if not shards:
        return {}
    found = dataset.rows(
        f"SELECT list(take_id) AS ids, hex({_MD5}) AS md5 "  # noqa: S608
        "FROM read_parquet($1, union_by_name = true) "
        f"WHERE octet_length(audio.bytes) >= 42 AND {_MD5} <> $2 "
        f"GROUP BY {_MD5} HAVING count(*) > 1",
        [[escape(str(shard)) for shard in shards], _UNKNOWN_MD5],
    )
    return {take_id: f"md5 {row['md5']}" for row in found for take_id in row["ids"]}
