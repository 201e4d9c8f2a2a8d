"""A built set to a Hub on loopback over a connection that breaks, and back again.

    make demo && python -m benchmarks.publish builds/quickstart
    python -m benchmarks.publish builds/quickstart --cuts 10 --rebuild 5

Every step is the `m5ser` command or `datasets` in a process of its own, against the Hub of the
tests, and the script ends with the first that fails: publish with the connection cut in the middle
of uploads, verify from the Hub with clips spoken again, stream, pull a part, and publish the set
with other gates. `sent_twice` is the uploads beyond one for each file over the files: what the cuts
cost. The client sends by LFS; what the Hub does with Xet is not measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.script import parser_of
from tests.hub_calls import TOKEN
from tests.hub_server import Fault, Hub, serving

NAME = "org/demo"
STREAM = """
import json, sys
from datasets import Audio, get_dataset_config_names, load_dataset
rows = {}
for config in get_dataset_config_names(sys.argv[1]):
    for split, part in load_dataset(sys.argv[1], config, streaming=True).items():
        clips = part.cast_column("audio", Audio(decode=False)) if "audio" in part.features else part
        rows[f"{config}/{split}"] = sum(clip["audio"]["bytes"][:4] == b"fLaC" for clip in clips)
print(json.dumps(rows))
"""


class Steps:
    """Commands in processes that see only the Hub on loopback; what each took and answered."""

    def __init__(self, hub: Hub, home: Path) -> None:
        self._environment = {
            **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        }  # fmt: skip
        self.table = Table("step", "seconds", "what came of it")

    def m5ser(self, *arguments: object) -> Any:
        """The JSON that a command prints; the script ends if it fails."""
        return self.run([sys.executable, "-m", "flows.cli", *map(str, arguments), "--json"])

    def run(self, command: Sequence[str]) -> Any:
        """The last line of a process as JSON, with the time that it took as `wall_s`."""
        started = time.perf_counter()
        done = subprocess.run(
            command, env=self._environment, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(command[1:4])} ended with {done.returncode}: {done.stdout}")
        return {**json.loads(done.stdout), "wall_s": time.perf_counter() - started}

    def note(self, step: str, answer: dict[str, Any], said: str) -> None:
        """Add a line to the table."""
        self.table.add_row(step, f"{answer['wall_s']:.1f}", said)


def publish(steps: Steps, hub: Hub, folder: Path, cuts: int) -> float:
    """Publish with the first uploads cut off in their middle; uploads beyond one for each file."""
    hub.faults = [Fault("PUT /large", times=cuts, cut=True)]
    done = steps.m5ser("publish", folder, NAME, "--tag", "v1")
    left = hub.faults[0].times
    if left:
        sys.exit(f"only {cuts - left} of {cuts} connections were cut: the set has too few files")
    begun = sum(request.startswith("PUT /large") for request in hub.requests)
    said = f"{done['sent']} data files, {done['sent_bytes'] / 1e6:.1f} MB, {cuts} cuts"
    steps.note("publish", done, f"{said}, {done['commits']} commit on main")
    files = len(set(hub.uploaded))
    return (begun - files) / files


def verify(steps: Steps, rebuild: int) -> None:
    """Verify what stands on the Hub, with clips spoken again."""
    found = steps.m5ser("verify", NAME, "--revision", "v1", "--rebuild", rebuild)
    checks = "; ".join(f"{name}: {said}" for name, said in found["checks"].items())
    steps.note("verify", found, f"{len(found['problems'])} problems. {checks}")


def stream(steps: Steps) -> None:
    """Load every configuration by `datasets`, and see that every row has its FLAC."""
    rows = steps.run([sys.executable, "-c", STREAM, NAME])
    said = ", ".join(f"{name} {count}" for name, count in rows.items() if name != "wall_s")
    steps.note("stream", rows, said)


def pull(steps: Steps, folder: Path) -> None:
    """A part of the set by language and emotion, verified."""
    part = ("--languages", "de,fr", "--emotions", "angry")
    done = steps.m5ser("pull", NAME, *part, "--out", folder)
    found = steps.m5ser("verify", folder)
    said = f"{done['rows']} rows of {' '.join(part)}, {done['downloaded_bytes'] / 1e6:.1f} MB; "
    steps.note("pull", done, f"{said}verified with {len(found['problems'])} problems")


def publish_again(steps: Steps, hub: Hub, folder: Path, work: str, temporary: Path) -> None:
    """The set without its first gate, and the difference that is written."""
    recipe = temporary / "changed.yaml"
    fields = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    fields["gates"].pop(next(iter(fields["gates"])))
    recipe.write_text(yaml.safe_dump(fields), encoding="utf-8")
    changed, before = temporary / "changed", len(hub.uploaded)
    steps.m5ser("build", recipe, "--out", changed, "--work", work)
    done = steps.m5ser("publish", changed, NAME, "--tag", "v2")
    written = hub.dataset(NAME).files()["CHANGES.md"].decode()
    steps.note("publish again", done, f"{len(hub.uploaded) - before} uploads\n{written}")


def main() -> None:
    """Take all steps, and print what each came to."""
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cuts", type=int, default=10)
    parser.add_argument("--rebuild", type=int, default=5)
    parser.add_argument("--work", default="builds/.work", help="store to build the changed set in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving() as hub:
        temporary = Path(name)
        steps = Steps(hub, temporary / "home")
        sent_twice = publish(steps, hub, given.folder, given.cuts)
        verify(steps, given.rebuild)
        stream(steps)
        pull(steps, temporary / "part")
        publish_again(steps, hub, given.folder, given.work, temporary)
    Console().print(steps.table)
    print(json.dumps({"sent_twice": round(sent_twice, 2)}))


if __name__ == "__main__":
    main()
