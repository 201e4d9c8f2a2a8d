"""What the path costs around its engines: time beside the quickstart's, and memory as sets grow.

    python -m benchmarks.build              both sides, about five minutes on two cores
    python -m benchmarks.build --rows 1000 20000

`orchestration_share` is the wall time of the same number of batches through engines that do
nothing, over the wall time of the quickstart, both from an empty store, both without the card,
figures and report. `memory_growth` is the peak memory of the largest process at the larger number
of rows over that at the smaller.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.noop import noop_recipe
from benchmarks.script import parser_of
from flows.prefect_settings import prepare_prefect
from pipeline.recipe import Recipe
from pipeline.recipe_file import load_recipe
from pipeline.store import open_store


def measure_build(recipe: Recipe) -> dict[str, Any]:
    """Build a recipe from an empty store: seconds without `describe`, rows, peak memory in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        work, out = Path(folder, "work"), Path(folder, "out")
        prepare_prefect(work)
        from flows.command import run_build
        from flows.runners.processes import processes
        from pipeline.cards.describe import describe

        workers = len(os.sched_getaffinity(0))
        quiet = Console(file=Path(os.devnull).open("w"))  # noqa: SIM115 - lives with the console
        outcome = run_build(recipe, out, open_store(str(work)), None, processes(workers), quiet)
        peaks = [resource.getrusage(who).ru_maxrss for who in (0, resource.RUSAGE_CHILDREN)]
        with processes(1) as runner:  # as the build did: by a worker that has drawn nothing yet
            runner.submit(os.getpid).result()
            started = time.monotonic()
            runner.submit(describe, out).result()
            described_s = time.monotonic() - started
    return {
        "wall_s": outcome.wall_s - described_s,
        "rows": len(outcome.build.outcomes.decisions),
        "peak_mb": max(peaks) / 1024,
    }


def _in_process(*arguments: str) -> dict[str, Any]:
    """Measure in a process of its own, whose peak memory is only this build's."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.build", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure both sides and print them."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, nargs=2, default=[1_000, 100_000])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one == "quickstart":
        print(json.dumps(measure_build(load_recipe("quickstart"))))
        return
    if arguments.one == "same":
        like = load_recipe("quickstart")
        recipe = noop_recipe(91, like.languages, like.takes, like.batch_size)
        print(json.dumps(measure_build(recipe)))
        return
    if arguments.one:
        print(json.dumps(measure_build(noop_recipe(int(arguments.one), ["en"], 1, 500))))
        return
    names = {"quickstart": "quickstart", "no-op, as many batches": "same"}
    names |= {f"no-op, {rows} rows": str(rows) for rows in arguments.rows}
    found = {name: _in_process("--one", key) for name, key in names.items()}
    _print(found, list(names))


def _print(found: dict[str, dict[str, Any]], names: list[str]) -> None:
    table = Table("build", "rows", "wall s", "rows/s", "peak MiB")
    for name, one in found.items():
        speed = one["rows"] / one["wall_s"]
        table.add_row(name, *(f"{x:.0f}" for x in (one["rows"], one["wall_s"], speed)),
                      f"{one['peak_mb']:.0f}")  # fmt: skip
    Console().print(table)
    quickstart, same, small, large = (found[name] for name in names)
    ratios = {
        "orchestration_share": round(same["wall_s"] / quickstart["wall_s"], 4),
        "memory_growth": round(large["peak_mb"] / small["peak_mb"], 3),
        "noop_rows_per_s": round(large["rows"] / large["wall_s"], 1),
    }
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
