"""What each engine costs: as measured by earlier builds on this machine, or as others report.

A build writes into the work store how long its engines worked, if it did enough to tell; a plan
reads that back. Where nothing was measured, a published or assumed figure stands in, and the plan
says which.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipeline.engine import Engine, digest
from pipeline.needs import CLIP_S, Device, Price, Unit
from pipeline.recipe import Recipe
from pipeline.records import Tally
from pipeline.store import Store

_LEAST_S = 300.0
"""Seconds of speech, below which nothing is remembered: see `remember`."""
_STAGE = "speeds"
_VERSION = 2
_PINNED = ("revision", "revisions", "sha256")
"""What a build fills in of an engine's settings, and a plan does not look up."""
_SCHEMA = pa.schema(
    {"device": pa.string(), "lines": pa.int64(), "speech_s": pa.float64(), "work_s": pa.float64()}
)


@dataclass(frozen=True, slots=True)
class Worked:
    """What was done in one piece of work, and the seconds that each device worked for it."""

    tally: Tally
    work_s: Mapping[Device, float]


@dataclass(slots=True)
class Total:
    """All that a stage did in one build with all of its engines."""

    lines: int = 0
    speech_s: float = 0.0
    work_s: defaultdict[Device, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, worked: Worked) -> None:
        """Count a piece of work, unless some of the engines had done theirs before."""
        if not worked.tally.whole:
            return
        self.lines += worked.tally.rows
        self.speech_s += worked.tally.speech_s
        for device, seconds in worked.work_s.items():
            self.work_s[device] += seconds


def timed(function: Callable[..., Tally], *arguments: Any) -> Worked:
    """Call a stage's function, and say how long it took on which device; run by a worker."""
    started = time.perf_counter()
    tally = function(*arguments)
    work_s = time.perf_counter() - started
    torch = sys.modules.get("torch")
    on_gpu = torch is not None and torch.cuda.is_available()
    return Worked(tally, {"cuda" if on_gpu else "cpu": work_s})


def remember(store: Store, recipe: Recipe, totals: Mapping[str, Total]) -> None:
    """Write what the stages of a build took, where they did enough to tell.

    Enough is five minutes of speech, or a line for each three seconds of that (assumed): what less
    takes is mostly the loading of models, as after `build --limit 1`.
    """
    for stage, key in _keys(recipe):
        total = totals.get(stage)
        if total is not None and _speech_s(stage, total) >= _LEAST_S:
            rows = [
                {"device": device, "lines": total.lines, "speech_s": total.speech_s, "work_s": took}
                for device, took in total.work_s.items()
            ]
            store.write(_STAGE, key, pa.Table.from_pylist(rows, schema=_SCHEMA))


def _speech_s(stage: str, total: Total) -> float:
    return total.lines * CLIP_S if _unit(stage) == "line" else total.speech_s


def _unit(stage: str) -> Unit:
    return "line" if stage in ("translate", "check") else "speech_s"


def measured_prices(store: Store, recipe: Recipe) -> dict[str, list[Price]]:
    """What the stages of a recipe cost, by device, in the last build here with the same engines."""
    return {
        stage: [_measured(_unit(stage), row) for row in store.read(_STAGE, key).to_pylist()]
        for stage, key in _keys(recipe)
        if store.has(_STAGE, key)
    }


def _measured(per: Unit, row: Mapping[str, Any]) -> Price:
    done = row["lines"] if per == "line" else row["speech_s"]
    source = f"measured here on {row['device']}, {done:.0f} {per.replace('_', ' ')}"
    return Price(row["device"], row["work_s"] / done, per, source)


def _keys(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Each stage, and the key under which its speed lies: the same for the same engines."""
    shaping = recipe.prosody.model_dump(mode="json")
    made_of: Mapping[str, list[Any]] = {
        "translate": [_settings(recipe.translation)],
        "check": sorted(map(_settings, recipe.text_judges)),
        "synthesize": [_settings(recipe.synthesis), shaping, recipe.takes],
        "judge": sorted(map(_settings, recipe.judges)),
    }
    for stage, parts in made_of.items():
        yield stage, digest(_STAGE, _VERSION, stage, parts)


def _settings(engine: Engine) -> str:
    """An engine's settings but for `_PINNED`."""
    return digest(engine.version, _unpinned(engine.model_dump(mode="json")))


def _unpinned(settings: Any) -> Any:
    """Settings without what is pinned, also in the engines within an engine."""
    if isinstance(settings, dict):
        return {name: _unpinned(one) for name, one in settings.items() if name not in _PINNED}
    return [_unpinned(one) for one in settings] if isinstance(settings, list) else settings
