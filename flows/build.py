"""The build flow: one Prefect task for each stage of each batch, each a plain function's call."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from prefect import Flow, State, Task, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import PrefectHTTPStatusError
from prefect.futures import PrefectFuture
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from flows.full_disk import full_disk_named, is_full_disk, is_nearly_full, no_space
from flows.interrupts import termination_heard_by
from flows.prefect_server import start_server
from flows.price import timed
from flows.progress import StageProgress
from flows.runners.base import Pending, Runner, WorkerDied
from flows.runners.processes import processes
from flows.works import Call, Work, chain_works, measuring, sides_of, together, wording_works
from pipeline.cards.describe import describe
from pipeline.pretrained.batching import counted
from pipeline.recipe import Recipe
from pipeline.stages import measure, voices
from pipeline.store import Store
from pipeline.work.census import Census, take_census
from pipeline.work.chains import chains_of
from pipeline.work.division import divide
from pipeline.work.intake import take_in
from pipeline.work.outcomes import decide_all
from pipeline.work.retry import forget_failed_lines, forget_failed_sources, forget_failed_takes
from pipeline.work.wordings import decide_lines, wordings_of
from pipeline.writing.build import Build
from pipeline.writing.checks import check_folder, check_licence, check_probe
from pipeline.writing.folder import is_current, write_dataset

_IN_FLIGHT = 8
"""Chains in flight for each worker: enough to keep it busy, few enough to hold in memory."""


@dataclass(frozen=True)
class Workshop:
    """What every part of a build needs at hand."""

    store: Store
    recipe: Recipe
    runner: Runner
    progress: StageProgress


def build_dataset(
    workshop: Workshop, folder: Path, limit: int | None = None, *, retry: bool = False
) -> Build:
    """Build the dataset folder of a recipe; what earlier runs have done is not done again.

    `retry`: but for what failed in them.

    Raises:
        InputError: the corpus or the folder is not what the recipe says.
        OSError: a file can't be read or written; what was done stays done.
    """
    with full_disk_named(workshop.store.root):
        build = _work(workshop, folder, limit, retry)
    if not is_current(folder, build):
        with full_disk_named(folder.resolve().parent):
            write_dataset(folder, build, partial(_describe, workshop.runner))
    return build


def _work(workshop: Workshop, folder: Path, limit: int | None, retry: bool) -> Build:
    """Do all work that is due, and decide."""
    store, recipe = workshop.store, workshop.recipe
    check_folder(folder, recipe, limit)
    intake = take_in(store, recipe, limit)
    check_licence(recipe, intake.licences)
    sources = {batch.key: measure.key(batch.key, recipe.corpus.door) for batch in intake.batches}
    has_gpus = workshop.runner.has_gpus
    if retry:
        forget_failed_sources(store, sources.values())
    _run(workshop, ("read",), [[measuring(store, recipe, *pair)] for pair in sources.items()])
    census = take_census(store, recipe, intake, sources)
    unfitted = check_probe(store, recipe, census, limit is not None)
    wordings = list(wordings_of(store, recipe, intake, sources))
    if retry:
        forget_failed_lines(store, recipe, wordings)
    judges = sides_of(recipe.text_judges, has_gpus)
    works = [wording_works(store, recipe, one, judges) for one in wordings]
    _run(workshop, ("translate", "check"), works)
    division = divide(store, recipe, intake, sources, census, wordings)
    verdicts = decide_lines(store, recipe, wordings)
    clips = _voice_clips(workshop, census)
    chains = list(chains_of(store, recipe, census, wordings, verdicts, clips))
    if retry:
        forget_failed_takes(store, recipe, chains)
    judges = sides_of(recipe.judges, has_gpus)
    works = [chain_works(store, recipe, one, judges) for one in chains]
    _run(workshop, ("synthesize", "judge"), works)
    outcomes = decide_all(store, recipe, intake, chains)
    return Build(store, recipe, intake, census, division, chains, outcomes, unfitted, limit)


def _describe(runner: Runner, folder: Path) -> None:
    """Describe a folder by a worker, as drawing takes as much memory as all else in this process.

    It is a worker of this machine: a cluster's may have another disk or working folder.
    """
    opening: AbstractContextManager[Runner]
    opening = nullcontext(runner) if runner.is_here else processes(1)
    with opening as here:
        here.submit(describe, folder).result()


def _run(workshop: Workshop, stages: Sequence[str], chains: list[list[Work]]) -> None:
    """Run chains of work as a Prefect flow, if any of it is due.

    Raises:
        Exception: the first error of a task that its retries did not mend.
    """
    for stage in stages:
        works = [work for chain in chains for work in chain if work.stage == stage]
        workshop.progress.expect(stage, len(works), sum(work.done for work in works))
    due = [[work for work in chain if not work.done] for chain in chains]
    due = [chain for chain in due if chain]
    if due:
        start_server()
        # The heartbeat's thread would hold a finished flow back for a second.
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), _server_has_space():
            _flow(workshop, " ".join(stages), due)()


@contextmanager
def _server_has_space() -> Iterator[None]:
    """Name the full disk where Prefect's server fails for want of space, as it can't itself.

    Raises:
        OSError: the disk of its database is full.
    """
    try:
        yield
    except PrefectHTTPStatusError as error:
        if is_nearly_full(gettempdir()):
            raise no_space(gettempdir()) from error
        raise


def _flow(workshop: Workshop, name: str, chains: list[list[Work]]) -> Flow[[], None]:
    """A flow that runs chains of work, each in its order, many chains at a time.

    It is closed over the chains: as a parameter they would be sent to Prefect's server.
    """
    runner: Any = ThreadPoolTaskRunner(max_workers=workshop.runner.workers * _IN_FLIGHT)
    do = _task(workshop)
    on_termination = signal.getsignal(signal.SIGTERM)

    @flow(name=f"{workshop.recipe.name}: {name}", task_runner=runner, persist_result=False)
    def run() -> None:
        in_flight: deque[list[PrefectFuture[None]]] = deque()
        with termination_heard_by(on_termination):
            for chain in chains:
                if len(in_flight) == workshop.runner.workers * _IN_FLIGHT:
                    _finish(in_flight.popleft())
                in_flight.append(_submit(do, chain))
            for futures in in_flight:
                _finish(futures)

    return run


def _submit(do: Task[..., None], chain: list[Work]) -> list[PrefectFuture[None]]:
    """Submit a chain, each work after the one before."""
    futures: list[PrefectFuture[None]] = []
    for work in chain:
        named = do.with_options(name=work.stage)
        futures.append(named.submit(quote(work), wait_for=futures[-1:]))
    return futures


def _finish(futures: list[PrefectFuture[None]]) -> None:
    """Wait for a chain in its order: what follows a failed work never ran, and knows no error.

    Raises:
        Exception: that of the first work that failed.
    """
    for future in futures:
        future.result()


def _task(workshop: Workshop) -> Task[..., None]:
    @task(
        retries=2,
        retry_delay_seconds=1,
        retry_condition_fn=_may_pass,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    def do(work: Work) -> None:
        pending = [_begin(workshop.runner, call) for call in work.calls]
        workshop.progress.advance(work.stage, together([one.result() for one in pending]))

    return do


def _begin(runner: Runner, call: Call) -> Pending:
    return runner.submit(timed, counted, call.function, *call.arguments, on_gpu=call.on_gpu)


def _may_pass(_task: object, _run: object, state: State[Any]) -> bool:
    """Whether an error may pass by itself: I/O may; bad input and a full disk may not.

    Nor does a worker's death: the next one would want as much memory.
    """
    error = state.result(raise_on_failure=False)
    if not isinstance(error, OSError) or isinstance(error, WorkerDied):
        return False
    return not is_full_disk(error)


def _voice_clips(workshop: Workshop, census: Census) -> str | None:
    """Key of the clips of all voices, made if they aren't there; None if no judge wants them."""
    recipe, store = workshop.recipe, workshop.store
    if not any(one.needs_voices for one in recipe.judges):
        return None
    names = sorted(set(census.voices.values()))
    key = voices.key(recipe.synthesis, names, census.voice_references)
    if not store.has(voices.STAGE, key):
        references, door = census.voice_references, recipe.corpus.door
        arguments = (store, key, recipe.synthesis, names, references, door)
        on_gpu = recipe.synthesis.wants_gpu
        workshop.runner.submit(voices.run, *arguments, on_gpu=on_gpu).result()
    return key
