"""A Ray cluster: the one at an address, or one started on this machine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.runners.base import Pending, WorkerDied
from pipeline.errors import InputError

if TYPE_CHECKING:
    from ray import ObjectRef


@dataclass(frozen=True)
class _Pending:
    reference: ObjectRef[Any]

    def result(self) -> Any:
        """Wait; an error of the work is raised as itself and not as Ray's wrapper."""
        import ray
        from ray.exceptions import (
            NodeDiedError,
            OutOfMemoryError,
            RayTaskError,
            WorkerCrashedError,
        )

        try:
            return ray.get(self.reference)
        except RayTaskError as error:
            raise error.cause from error
        except (WorkerCrashedError, OutOfMemoryError, NodeDiedError) as error:
            raise WorkerDied from error


@dataclass(frozen=True)
class OnRay:
    """A runner over the Ray cluster that this process is connected to."""

    workers: int
    has_gpus: bool
    is_here: bool
    per_gpu: int = 1

    def submit(
        self, function: Callable[..., Any], *arguments: Any, on_gpu: bool = False
    ) -> Pending:
        """Hand over a call. Ray repeats nothing: retries are the flow's business."""
        import ray

        gpus = 1 / self.per_gpu if on_gpu and self.has_gpus else 0
        remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(_call)
        return _Pending(remote.remote(function, *arguments))


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """The call itself: Ray's decorator takes no function that is written in C."""
    return function(*arguments)


@contextmanager
def ray_cluster(workers: int, address: str | None, per_gpu: int) -> Iterator[OnRay]:
    """Connect to the cluster at `address`, or start one with `workers` here; some share a GPU.

    Raises:
        InputError: no cluster answers at `address`, or none starts here.
    """
    import ray

    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address is None:
            ray.init(num_cpus=workers, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        if address is None:
            raise InputError(
                f"--runner ray: Ray doesn't start on this machine ({error})"
            ) from error
        raise InputError(f"--address: no Ray cluster answers at {address} ({error})") from error
    try:
        found = ray.cluster_resources()
        cores, has_gpus = max(1, int(found.get("CPU", 1))), found.get("GPU", 0) > 0
        yield OnRay(cores, has_gpus, is_here=address is None, per_gpu=per_gpu)
    finally:
        ray.shutdown()
