"""What the scripts have in common."""

from __future__ import annotations

import argparse
from pathlib import Path

HUMAN_SPEECH = Path(__file__).parents[2] / "shared" / "speech"
"""Where RAVDESS and nEMO are looked for if no option names another folder."""


def parser_of(about: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the script's docstring as it stands."""
    return argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
