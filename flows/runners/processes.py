"""Worker processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.queues import SimpleQueue
from typing import Any

from flows.interrupts import interrupts_wait
from flows.runners.base import Pending, WorkerDied
from flows.runners.gpus import gpu_names, see_only


@contextmanager
def _deaths_told() -> Iterator[None]:
    """Raise WorkerDied where a worker has died: its pool does no more work, old or new."""
    try:
        yield
    except BrokenExecutor as error:
        raise WorkerDied from error


@dataclass(frozen=True)
class _Pending:
    future: Future[Any]

    def result(self) -> Any:
        """Wait for the work."""
        with _deaths_told():
            return self.future.result()


@dataclass(frozen=True)
class OnThisMachine:
    """A runner over an executor, and one whose workers have a GPU each where there are GPUs."""

    executor: Executor
    workers: int
    gpu_executor: Executor | None = None

    @property
    def has_gpus(self) -> bool:
        """Whether work on a GPU goes elsewhere than the rest."""
        return self.gpu_executor is not None

    @property
    def is_here(self) -> bool:
        """They are this process's children."""
        return True

    def submit(
        self, function: Callable[..., Any], *arguments: Any, on_gpu: bool = False
    ) -> Pending:
        """Hand over a call; with `on_gpu` to a GPU's worker, if there is one."""
        executor = self.gpu_executor if on_gpu and self.gpu_executor else self.executor
        with _deaths_told():
            return _Pending(executor.submit(function, *arguments))


@contextmanager
def processes(workers: int, per_gpu: int = 1) -> Iterator[OnThisMachine]:
    """Worker processes on this machine, each with its own loaded models.

    `per_gpu` more for each CUDA GPU, the only one that they see, and that holds every model as
    often: while one shapes takes on its core, another speaks. The `workers` see no GPU then. On an
    error or an interrupt all are ended at once: what they had not finished was never written, and
    the next build does it again.
    """
    gpus = gpu_names()
    with ExitStack() as opened:
        opened.enter_context(
            _environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
        )
        on_gpus = opened.enter_context(_pool(gpus * per_gpu)) if gpus else None
        on_cores = opened.enter_context(_pool(["" if gpus else None] * workers))
        yield OnThisMachine(on_cores, workers, on_gpus)


@contextmanager
def _pool(devices: Sequence[str | None]) -> Iterator[Executor]:
    """A worker for each of `devices`, the only GPU that it sees ("": none; None: all)."""
    context = multiprocessing.get_context("spawn")
    left = context.SimpleQueue()
    for device in devices:
        left.put(device)
    pool = ProcessPoolExecutor(
        len(devices), mp_context=context, initializer=_start_worker, initargs=(left,)
    )
    try:
        with interrupts_wait():  # Ctrl-C is for the parent, which ends them
            for _ in devices:  # they start now, and not once Prefect's server is there
                pool.submit(_wake)
        yield pool
    except BaseException:
        for worker in list((pool._processes or {}).values()):  # no public way before 3.14
            worker.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Variables that workers inherit: one thread each, as they already fill the cores.

    Set here and not in the worker, where numpy is loaded before its first line is run.
    """
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_worker(devices: SimpleQueue[str | None]) -> None:
    """Let a worker end with its parent, and see no GPU but its own."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    device = devices.get()
    if device is not None:
        see_only(device)


def _wake() -> None:
    """Import what most of the work needs."""
    import_module("pipeline.stages.synthesize")
    import_module("pipeline.stages.judge")


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
