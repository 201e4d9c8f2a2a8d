"""The work that is due on each batch: calls of the stages' functions, and what runs on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flows.price import Worked
from pipeline.engine import Engine
from pipeline.recipe import Recipe
from pipeline.records import Tally
from pipeline.stages import check, judge, measure, synthesis_job, synthesize, translate
from pipeline.store import Store
from pipeline.work.outcomes import Chain
from pipeline.work.wordings import Wording


@dataclass(frozen=True)
class Call:
    """A plain function with its arguments, and whether it waits for a GPU."""

    function: Callable[..., Tally]
    arguments: tuple[Any, ...]
    on_gpu: bool = False


@dataclass(frozen=True)
class Work:
    """One stage of one batch: calls that can run side by side; `done` by an earlier run."""

    stage: str
    calls: tuple[Call, ...]
    done: bool


Sides = Sequence[tuple[Sequence[Engine], bool]]
"""Engines of one stage that work side by side, and whether on a GPU."""


def sides_of(engines: Sequence[Engine], has_gpus: bool) -> Sides:
    """Engines of one stage, apart where there are GPUs by whether they want one, else together.

    On a GPU's worker, a single core, what needs no GPU would hold it up.
    """
    if not has_gpus:
        return [(tuple(engines), False)]
    wants = [one.wants_gpu for one in engines]
    return [
        (tuple(one for one, its in zip(engines, wants, strict=True) if its == on_gpu), on_gpu)
        for on_gpu in sorted(set(wants))
    ]


def measuring(store: Store, recipe: Recipe, batch: str, sources: str) -> Work:
    """Measuring of a batch's recordings, which goes under the key `sources`."""
    call = Call(measure.run, (store, batch, sources, recipe.corpus.door))
    return Work("read", (call,), store.has(measure.STAGE, sources))


def wording_works(store: Store, recipe: Recipe, wording: Wording, judges: Sides) -> list[Work]:
    """Translation of a batch into a language, and what judges its lines; `judges` by `sides_of`."""
    arguments = (store, wording.lines, recipe.translation, wording.language, wording.texts)
    translation = Call(translate.run, arguments, recipe.translation.wants_gpu)
    return [
        Work("translate", (translation,), store.has(translate.STAGE, wording.lines)),
        *_judging("check", check.run, check.STAGE, store, judges, wording.checking),
    ]


def chain_works(store: Store, recipe: Recipe, chain: Chain, judges: Sides) -> list[Work]:
    """The takes of a batch in a language, and what judges them; `judges` by `sides_of`."""
    arguments = (store, chain.takes, recipe, chain.synthesis)
    synthesis = Call(synthesize.run, arguments, recipe.synthesis.wants_gpu)
    return [
        Work("synthesize", (synthesis,), store.has(synthesis_job.STAGE, chain.takes)),
        *_judging("judge", judge.run, judge.STAGE, store, judges, chain.judging),
    ]


def _judging(
    name: str, run: Callable[..., Tally], stage: str, store: Store, judges: Sides, job: Any
) -> list[Work]:
    """The work that scores a batch; none where there are no judges."""
    calls = tuple(Call(score, (run, stage, store, own, job), on_gpu) for own, on_gpu in judges)
    done = all(store.has(stage, job.key(one)) for own, _ in judges for one in own)
    return [Work(name, calls, done)] if any(own for own, _ in judges) else []


def score(
    run: Callable[..., Tally], stage: str, store: Store, judges: Sequence[Engine], job: Any
) -> Tally:
    """Let those judges score a batch whose scores aren't there; the tally says if those are all."""
    whole = not any(store.has(stage, job.key(one)) for one in judges)
    return replace(run(store, judges, job), whole=whole)


def together(parts: Sequence[Worked]) -> Worked:
    """What the calls of one work did, which are all of the same rows: only halvings add up."""
    tallies = [part.tally for part in parts]
    tally = Tally(
        rows=max(tally.rows for tally in tallies),
        failed=max(tally.failed for tally in tallies),
        speech_s=max(tally.speech_s for tally in tallies),
        halved=sum(tally.halved for tally in tallies),
        whole=all(tally.whole for tally in tallies),
    )
    devices = sorted({device for part in parts for device in part.work_s})
    work_s = {one: sum(part.work_s.get(one, 0.0) for part in parts) for one in devices}
    return Worked(tally, work_s)
