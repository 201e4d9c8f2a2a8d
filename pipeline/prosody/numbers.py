"""Measurements as JSON: the form in which profiles and targets lie in the work store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Numbers:
    """A dataclass of floats and of tuples of floats."""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form; numbers are rounded to 1e-4."""
        return {
            name: round(value, 4) if isinstance(value, float) else [round(v, 4) for v in value]
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` gave that form."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else float(value)
            for name, value in data.items()
        }
        return cls(**values)
