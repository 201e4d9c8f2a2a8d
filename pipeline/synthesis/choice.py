"""Which of an engine's own voices a source speaker gets."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence


def pick(names: Sequence[str], speaker: str, taken: Collection[str]) -> str:
    """A voice for a speaker: the same for the same name, and free while free ones are left."""
    start = int.from_bytes(hashlib.sha256(speaker.encode()).digest()[:8], "big") % len(names)
    order = [*names[start:], *names[:start]]
    return next((name for name in order if name not in taken), order[0])
