"""What the ledger reads of a resolved recipe."""

from __future__ import annotations

from typing import Any


def recipe(**changes: Any) -> dict[str, Any]:
    """A recipe without neural engines, but for the changes."""
    return {
        "corpus": {"engine": "quickstart"},
        "translation": {"engine": "memory", "path": "builtin:quickstart"},
        "synthesis": {"engine": "espeak"},
        "prosody": {"from": "emotion"},
        "judges": [{"engine": "duration"}, {"engine": "quality"}, {"engine": "probe"}],
        **changes,
    }
