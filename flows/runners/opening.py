"""Which runners there are."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

from flows.runners.base import Runner
from pipeline.errors import InputError

RunnerName = Literal["processes", "dask", "ray"]


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
