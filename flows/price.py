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
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from pipeline.engine import Engine, digest
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.quality import Quality
from pipeline.judges.transcript import Whisper
from pipeline.recipe import Recipe
from pipeline.records import Tally
from pipeline.whisper.checkpoint import BUNDLED
from pipeline.work.store import Store

Device = Literal["cpu", "cuda"]
Unit = Literal["line", "speech_s"]

_STAGE = "speeds"
_VERSION = 2
_SCHEMA = pa.schema(
    {"device": pa.string(), "lines": pa.int64(), "speech_s": pa.float64(), "work_s": pa.float64()}
)


class Price(NamedTuple):
    """Seconds that a device works for a line, or for a second of speech, and who says so."""

    device: Device
    seconds: float
    per: Unit
    source: str


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


_WHISPER_S = 0.022
_WHISPER_SOURCE = "46 times real time (large-v2, RTX 3070 Ti)"
_BORDERLINE_SHARE = 0.2
"""Of the takes, that a second Whisper hears (assumed)."""
_PUBLISHED: Mapping[tuple[str, str], Price] = {
    ("translate", "memory"): Price("cpu", 0.0, "line", "a look-up"),
    ("translate", "nllb"): Price(
        "cuda", 0.07, "line", "77 lines/s of NLLB-600M on a T4 (CTranslate2), less by size"
    ),
    ("translate", "m2m100"): Price("cuda", 0.013, "line", "as NLLB-600M on a T4 (CTranslate2)"),
    ("translate", "madlad"): Price("cuda", 0.07, "line", "as NLLB-3.3B (assumed)"),
    ("translate", "marian"): Price("cuda", 0.005, "line", "as NLLB, by size (assumed)"),
    ("translate", "seamless"): Price("cuda", 0.05, "line", "as NLLB, by size (assumed)"),
    ("translate", "llm"): Price("cuda", 0.3, "line", "assumed, of 8 billion parameters"),
    ("check", "language"): Price("cpu", 0.001, "line", "assumed"),
    ("check", "back_translation"): Price("cuda", 0.013, "line", "as a translator (assumed)"),
    ("check", "emotion"): Price("cuda", 0.002, "line", "assumed, of 300 million parameters"),
    ("synthesize", "espeak"): Price("cpu", 0.05, "speech_s", "assumed, with its process"),
    ("synthesize", "xtts"): Price(
        "cuda", 0.25, "speech_s", "real-time factor unbatched (upstream, DeepSpeed)"
    ),
    ("synthesize", "vits"): Price(
        "cuda", 0.015, "speech_s", "67 times real time (Kim et al. 2021)"
    ),
    ("synthesize", "seamless"): Price("cuda", 0.25, "speech_s", "as XTTS (assumed)"),
    ("synthesize", "command"): Price("cuda", 0.5, "speech_s", "assumed, of an unknown program"),
    ("judge", "speech"): Price("cpu", 0.01, "speech_s", "assumed"),
    ("judge", "expressivity"): Price("cpu", 0.01, "speech_s", "assumed, as speech"),
    ("judge", "speaker"): Price("cpu", 0.03, "speech_s", "assumed"),
    ("judge", "prosody"): Price("cpu", 0.03, "speech_s", "assumed"),
    ("judge", "whisper"): Price("cuda", _WHISPER_S, "speech_s", _WHISPER_SOURCE),
    ("judge", "emotion"): Price("cuda", 0.01, "speech_s", "assumed, of 300 million parameters"),
    ("judge", "dimensions"): Price("cuda", 0.01, "speech_s", "assumed, of 160 million parameters"),
    ("judge", "autopcp"): Price("cuda", 0.01, "speech_s", "assumed, of 120 million parameters"),
    ("judge", "wavlm"): Price("cuda", 0.005, "speech_s", "assumed, of 100 million parameters"),
}
_WINDOW_S, _CHEAP_WINDOW_S = 0.5, 0.02
"""Of one core for a window of each of DNSMOS' networks (`pipeline.judges.quality`)."""
_CLIP_S = 3.0
"""Length of an utterance; DNSMOS hears a window for each second."""
_LEAST_S = 300.0
"""Seconds of speech, below which nothing is remembered: see `remember`."""
_WHISPER_CLASSIFIER = Price(
    "cuda",
    0.05 / _CLIP_S,
    "speech_s",
    "assumed, 0.05 s a clip, of which it always hears 30 s",
)
"""Of a classifier on Whisper large's encoder."""
PROSODY = Price("cpu", 0.1, "speech_s", "assumed, of one core")
"""Prosody transfer by vocoder."""
_SUMS = Price("cpu", 0.0, "speech_s", "counts and sums")


def engine_name(engine: Engine) -> str:
    """The name that an engine has in recipes."""
    return str(getattr(engine, "engine", ""))


def published_price(stage: str, engine: Engine) -> Price:
    """What an engine costs at a stage by others' reports."""
    if isinstance(engine, Quality):
        return _quality_price(engine)
    if isinstance(engine, SpeechEmotion) and "whisper" in engine.model.lower():
        return _WHISPER_CLASSIFIER
    if isinstance(engine, Whisper) and engine.model in BUNDLED:
        return Price("cpu", 0.03, "speech_s", "assumed, of one core")
    return _PUBLISHED.get((stage, engine_name(engine)), _SUMS)


def second_price(engine: Whisper) -> Price:
    """What the second model of a Whisper judge costs by others' reports, on the takes it hears."""
    source = f"{_WHISPER_SOURCE}, of {_BORDERLINE_SHARE:.0%} of the takes (assumed)"
    return Price("cuda", _WHISPER_S * _BORDERLINE_SHARE, "speech_s", source)


def _quality_price(engine: Quality) -> Price:
    windows_per_s = min(1.0, (engine.max_windows or _CLIP_S) / _CLIP_S)
    window_s = _CHEAP_WINDOW_S + (_WINDOW_S if engine.p835 else 0.0)
    source = f"{window_s:g} s a window on one core; a clip lasts {_CLIP_S:g} s (assumed)"
    return Price("cpu", windows_per_s * window_s, "speech_s", source)


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
    return total.lines * _CLIP_S if _unit(stage) == "line" else total.speech_s


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
    """Stage, and the name that what it takes is held under: of the same engines the same."""
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
    """An engine's settings without what a build pins and a plan does not look up."""
    return digest(
        engine.version, engine.model_dump(mode="json", exclude={"revision", "revisions", "sha256"})
    )
