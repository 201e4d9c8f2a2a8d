"""A Dask cluster: the one at an address, or one of this machine's processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.runners.base import Pending
from pipeline.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

_TIMEOUT_S = 10
_GPU = "GPU"
"""The resource that a worker with a GPU is started with: `dask worker --resources GPU=1`."""


@dataclass(frozen=True)
class OnDask:
    """A runner over a Dask client."""

    client: Client
    workers: int
    has_gpus: bool

    def submit(
        self, function: Callable[..., Any], *arguments: Any, on_gpu: bool = False
    ) -> Pending:
        """Hand over a call; nothing is cached by Dask, as the work store does that."""
        wanted = {_GPU: 1} if on_gpu and self.has_gpus else None
        pending: Pending = self.client.submit(function, *arguments, pure=False, resources=wanted)
        return pending


@contextmanager
def dask_cluster(workers: int, address: str | None) -> Iterator[OnDask]:
    """Connect to the scheduler at `address`, or start `workers` processes here.

    Raises:
        InputError: no scheduler answers at `address`, or it has no workers.
    """
    from distributed import Client, LocalCluster

    if address is None:
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as local,
            Client(local) as client,
        ):
            yield OnDask(client, workers, has_gpus=False)
        return
    try:
        client = Client(address, timeout=_TIMEOUT_S)
    except (OSError, ValueError) as error:
        raise InputError(f"--address: no Dask scheduler answers at {address} ({error})") from error
    with client:
        found = client.scheduler_info(n_workers=-1)["workers"].values()
        if not found:
            raise InputError(f"--address: the Dask scheduler at {address} has no workers")
        threads = sum(worker["nthreads"] for worker in found)
        has_gpus = any(_GPU in worker["resources"] for worker in found)
        yield OnDask(client, threads, has_gpus)
