"""Shard writing against `datasets`' own writer, on the same rows with the same FLAC.

    python -m benchmarks.shards
    python -m benchmarks.shards --rows 20000

`shards_vs_datasets` is the time of `Dataset.from_generator` and `to_parquet`, the way that
`datasets` documents for rows that are made one by one, over the time of `ShardWriter`. Neither
side encodes audio: the rows hold FLAC bytes.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.script import parser_of
from pipeline.audio import encode_flac
from pipeline.dataset.shards import ShardWriter, kept_schema

RATE_HZ = 16_000
SECONDS = 3.0
SCORES = [f"score_{number}" for number in range(20)]


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Rows as a build writes them; a few clips in turn, so that encoding costs nothing here."""
    random = np.random.default_rng(0)
    samples = random.normal(0, 0.05, (8, int(SECONDS * RATE_HZ))).astype(np.float32)
    clips = [encode_flac(clip, RATE_HZ) for clip in samples]
    for number in range(count):
        yield {
            **dict.fromkeys(
                ("text", "source_text", "voice", "corpus", "synthesizer", "translator"), "words"
            ),
            "take_id": f"take-{number}",
            "source_id": f"source-{number // 5}",
            "language": "de",
            "emotion": "happy",
            "emotion_id": 3,
            "speaker_id": "s",
            "gender": "female",
            "audio": {"bytes": clips[number % len(clips)], "path": f"{number}.flac"},
            "sampling_rate": RATE_HZ,
            "duration_s": SECONDS,
            "is_synthetic": True,
            "seed": number,
            "strength": 1.0,
            "neutral_from": "speaker",
            "licence": "Apache-2.0",
            "scores": {name: float(number) for name in SCORES},
        }


def write_ours(folder: Path, count: int) -> None:
    """Through `ShardWriter`."""
    with ShardWriter(folder / "train", kept_schema(SCORES, RATE_HZ), count, 5_000) as writer:
        for row in rows(count):
            writer.write(row)


def write_theirs(folder: Path, count: int) -> None:
    """Through `datasets`, with the same features."""
    import datasets

    datasets.disable_progress_bars()
    features = datasets.Features.from_arrow_schema(kept_schema(SCORES, RATE_HZ))
    # As plain bytes: the feature's own encoder would ask for torchcodec to pass FLAC on.
    features["audio"] = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
    made = datasets.Dataset.from_generator(
        rows, features=features, gen_kwargs={"count": count}, cache_dir=str(folder / "cache")
    )
    made.to_parquet(str(folder / "train.parquet"))


def timed(write: Callable[[Path, int], None], count: int) -> float:
    """Wall seconds of writing `count` rows into a fresh folder."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        write(Path(folder), count)
        return time.perf_counter() - started


def main() -> None:
    """Measure both sides in turn, three times, and print the medians."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=5_000)
    count = parser.parse_args().rows
    timed(write_ours, 10), timed(write_theirs, 10)  # imports
    pairs = [(timed(write_ours, count), timed(write_theirs, count)) for _ in range(3)]
    ours_s, theirs_s = (float(np.median(side)) for side in zip(*pairs, strict=True))
    table = Table("writer", "seconds", "rows/s", title=f"{count} rows of {SECONDS:g} s")
    table.add_row("ShardWriter", f"{ours_s:.2f}", f"{count / ours_s:.0f}")
    table.add_row("datasets", f"{theirs_s:.2f}", f"{count / theirs_s:.0f}")
    Console().print(table)
    ratio = float(np.median([theirs / ours for ours, theirs in pairs]))
    print(json.dumps({"shards_vs_datasets": round(ratio, 2)}))


if __name__ == "__main__":
    main()
