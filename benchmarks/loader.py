"""Memory of the training's loader as the set grows: every clip once, in batches of eight.

    python -m benchmarks.loader [--clips 500 10000]

`loader_memory_growth` is the peak of the process' own memory (not of the files it maps, which the
system takes back when it needs to) over one epoch of the larger set, over that of the smaller.
`bytes_per_clip` is what a clip more costs. Each side is a process of its own, on frames that
another one has cached.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.script import parser_of
from benchmarks.training import ours, recipe_of, write_set
from model.data.clip_set import ClipSet
from model.data.load import load_clips
from model.network.encoder import load_encoder
from model.recipe.architecture import RandomEncoder

_ENCODER = RandomEncoder(width=64, layers=1, heads=4)
_CLIP_S = (0.2, 0.6)
_EVERY_S = 0.002


def load(folder: Path) -> ClipSet:
    """The training split of a set, its frames cached beside it."""
    recipe = recipe_of(folder / "set", _ENCODER)
    encoder = load_encoder(_ENCODER)
    return load_clips(recipe.data, "train", recipe.labels, encoder, folder / "cache")


def peak_mib(folder: Path) -> float:
    """Peak of this process' own memory over loading and one epoch, in MiB."""
    with _sampled() as seen:
        for _ in ours(load(folder)):
            pass
    return max(seen) / 1024


@contextmanager
def _sampled() -> Iterator[list[int]]:
    """Anonymous memory of this process in KiB, looked at again and again."""
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(_EVERY_S):
            lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
            [line] = [line for line in lines if line.startswith("RssAnon")]
            seen.append(int(line.split()[1]))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def _in_process(task: str, folder: Path) -> str:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.loader", task, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def main() -> None:
    """Measure both sizes and print them."""
    parser = parser_of(__doc__)
    parser.add_argument("--clips", type=int, nargs=2, default=[500, 10_000])
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        load(given.fill)
    elif given.measure:
        print(peak_mib(given.measure))
    else:
        _print(given.clips, [_measured(clips) for clips in given.clips])


def _measured(clips: int) -> float:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_set(folder / "set", clips, _CLIP_S)
        _in_process("--fill", folder)
        return float(_in_process("--measure", folder))


def _print(clips: list[int], peaks: list[float]) -> None:
    table = Table("clips", "peak MiB")
    for count, peak in zip(clips, peaks, strict=True):
        table.add_row(f"{count:,}", f"{peak:.0f}")
    Console().print(table)
    more = (peaks[1] - peaks[0]) * 2**20 / (clips[1] - clips[0])
    ratios = {"loader_memory_growth": round(peaks[1] / peaks[0], 3), "bytes_per_clip": round(more)}
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
