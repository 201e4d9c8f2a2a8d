"""What a runner is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


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
