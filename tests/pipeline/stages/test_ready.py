"""A worker that has said it is ready has imported every stage."""

import subprocess
import sys


def test_it_imports_every_stage():
    program = (
        "import pipeline.stages.ready as ready, sys; ready.run(); "
        "print(sorted(n for n in sys.modules if n.startswith('pipeline.stages.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    for stage in ("check", "judge", "measure", "synthesize", "translate", "voices"):
        assert f"'pipeline.stages.{stage}'" in done.stdout
