"""A Dask cluster: the one at an address, or one of this machine's processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.runners.base import Pending, WorkerDied
from flows.runners.gpus import VISIBLE, gpu_names
from pipeline.errors import InputError

if TYPE_CHECKING:
    from distributed import Client, Future, SpecCluster

_TIMEOUT_S = 10
_GPU = "GPU"
"""The resource that a worker with a GPU is started with: `dask worker --resources GPU=1`."""
_CORE = "CORE"
"""That of this machine's other workers, beside those with a GPU."""


@dataclass(frozen=True)
class _Pending:
    future: Future[Any]

    def result(self) -> Any:
        """Wait for the work, which Dask gives to other workers before it gives it up."""
        from distributed import KilledWorker

        try:
            return self.future.result()
        except KilledWorker as error:
            raise WorkerDied from error


@dataclass(frozen=True)
class OnDask:
    """A runner over a Dask client; `elsewhere`: the resource that work without a GPU waits for."""

    client: Client
    workers: int
    has_gpus: bool
    is_here: bool
    elsewhere: str | None = None

    def submit(
        self, function: Callable[..., Any], *arguments: Any, on_gpu: bool = False
    ) -> Pending:
        """Hand over a call; nothing is cached by Dask, as the work store does that."""
        name = _GPU if on_gpu and self.has_gpus else self.elsewhere
        wanted = {name: 1} if name else None
        return _Pending(self.client.submit(function, *arguments, pure=False, resources=wanted))


@contextmanager
def dask_cluster(workers: int, address: str | None, per_gpu: int) -> Iterator[OnDask]:
    """Connect to the scheduler at `address`, or start `workers` processes here, and some a GPU.

    Raises:
        InputError: no scheduler answers at `address`, it has no workers, or one has threads: a
            process holds one of each model, and models take one batch at a time.
    """
    from distributed import Client, LocalCluster

    if address is None:
        gpus = gpu_names()
        if gpus:
            opening = _with_gpus(workers, gpus, per_gpu)
        else:
            opening = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
        with opening as local, Client(local) as client:
            elsewhere = _CORE if gpus else None
            yield OnDask(client, workers, bool(gpus), is_here=True, elsewhere=elsewhere)
        return
    try:
        client = Client(address, timeout=_TIMEOUT_S)
    except (OSError, ValueError) as error:
        raise InputError(f"--address: no Dask scheduler answers at {address} ({error})") from error
    with client:
        found = client.scheduler_info(n_workers=-1)["workers"].values()
        if not found:
            raise InputError(f"--address: the Dask scheduler at {address} has no workers")
        if any(worker["nthreads"] > 1 for worker in found):
            raise InputError(
                f"--address: a worker of the Dask scheduler at {address} has several threads, and "
                "an engine speaks for one at a time: start them with "
                "`dask worker --nthreads 1 --nworkers auto`"
            )
        has_gpus = any(_GPU in worker["resources"] for worker in found)
        yield OnDask(client, len(found), has_gpus, is_here=False)


def _with_gpus(workers: int, gpus: Sequence[str], per_gpu: int) -> SpecCluster:
    """`per_gpu` workers here for each GPU, the only one that it sees, and others that see none."""
    from distributed import Nanny, Scheduler, SpecCluster

    def worker(resource: str, device: str) -> dict[str, Any]:
        options = {
            "nthreads": 1,
            "resources": {resource: 1},
            "env": {VISIBLE: device},
            "dashboard": False,
        }
        return {"cls": Nanny, "options": options}

    on_cores = {f"core-{at}": worker(_CORE, "") for at in range(workers)}
    on_gpus = {f"gpu-{name}-{at}": worker(_GPU, name) for name in gpus for at in range(per_gpu)}
    scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", "dashboard": False}}
    return SpecCluster(workers=on_cores | on_gpus, scheduler=scheduler)
