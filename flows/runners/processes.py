"""Worker processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from flows.runners.base import Pending


@dataclass(frozen=True)
class OnThisMachine:
    """A runner over an executor; its workers share the GPUs that they find."""

    executor: Executor
    workers: int

    def submit(
        self, function: Callable[..., Any], *arguments: Any, on_gpu: bool = False
    ) -> Pending:
        """Hand over a call; `on_gpu` changes nothing here."""
        return self.executor.submit(function, *arguments)


@contextmanager
def processes(workers: int) -> Iterator[OnThisMachine]:
    """A pool of worker processes on this machine, each with its own loaded models.

    On an error or an interrupt the workers are ended at once: what they had not finished was never
    written, and the next build does it again.
    """
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    with _environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1"):
        try:
            for _ in range(workers):  # they start now, and not once Prefect's server is there
                pool.submit(_wake)
            yield OnThisMachine(pool, workers)
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


def _start_worker() -> None:
    """Deaf to Ctrl-C, which is for the parent, and no life beyond the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _wake() -> None:
    """Import what most of the work needs."""
    import_module("pipeline.stages.synthesize")
    import_module("pipeline.stages.judge")


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
