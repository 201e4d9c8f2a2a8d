"""What a runner is, and which there are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from pipeline.errors import InputError

RunnerName = Literal["processes", "dask", "ray"]


class WorkerDied(OSError):
    """A worker ended before its work did: most likely it was killed for the memory that it took."""

    def __str__(self) -> str:
        return (
            "a worker died at its work, most likely because memory ran out: let fewer --workers "
            "share it, or give a cluster's workers more; the same command goes on from here"
        )


class Pending(Protocol):
    """Work that was handed to a runner."""

    def result(self) -> Any:
        """Wait for the work; what it returned, or the exception that it raised.

        Raises:
            WorkerDied: whatever did the work is no more.
        """


class Runner(Protocol):
    """Calls plain functions elsewhere, one batch each; models stay loaded where they ran."""

    @property
    def workers(self) -> int:
        """How many functions run at a time; those on GPUs of this machine come on top."""

    @property
    def has_gpus(self) -> bool:
        """Whether `on_gpu` makes a difference."""

    @property
    def is_here(self) -> bool:
        """Whether the workers are on this machine, in this process's working folder."""

    def submit(
        self, function: Callable[..., Any], *arguments: Any, on_gpu: bool = False
    ) -> Pending:
        """Hand over a call; with `on_gpu` it waits for a GPU, where the runner has any.

        Raises:
            WorkerDied: those that could do it are no more.
        """


def open_runner(
    name: RunnerName, workers: int, address: str | None, per_gpu: int = 1
) -> AbstractContextManager[Runner]:
    """The runner of a name: on this machine with `workers`, or the cluster at `address`.

    `per_gpu`: workers that share each CUDA GPU; that of a Dask cluster is its own affair.

    Raises:
        InputError: `address` with a runner that has none, or a cluster that doesn't answer.
    """
    if name == "dask":
        from flows.runners.dask import dask_cluster

        return dask_cluster(workers, address, per_gpu)
    if name == "ray":
        from flows.runners.ray import ray_cluster

        return ray_cluster(workers, address, per_gpu)
    if address is not None:
        raise InputError("--address: processes run on this machine; add --runner dask or ray")
    from flows.runners.processes import processes

    return processes(workers, per_gpu)
