"""`python -m tests.checkpoints FOLDER`: what recipes/m5ser-smoke.yaml runs on."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.checkpoints.everything import write

if __name__ == "__main__":
    write(Path(sys.argv[1]))
