"""Batches of like length under a budget, and what to do when one doesn't fit into memory."""

from __future__ import annotations

import errno
import gc
import logging
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, TypeVar

from pipeline.records import Failure, Stage, Tally

T = TypeVar("T")
R = TypeVar("R")

_HALVED: ContextVar[list[int] | None] = ContextVar("halved", default=None)
"""Sizes of the batches that were halved in the call of `counted` that is under way here."""
_ALONE = "out of memory on this row alone"
_WORDS = (
    "out of memory",
    "ALLOC_FAILED",
    "DefaultCPUAllocator",
    "Failed to allocate memory",
    "bad_alloc",
)
"""Of CUDA and MPS, of cuDNN and cuBLAS, of PyTorch's CPU allocator (c10/core/impl/alloc_cpu.cpp),
of ONNX Runtime's arena (core/framework/bfc_arena.cc), of C++."""


def by_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Places of the items, the longest first, in groups whose padded size is within the budget.

    `lengths` and `budget` are in the same unit (tokens, samples); the padded size of a group is its
    longest item times its number of items. An item longer than the budget stands alone. The
    longest come first, so that a batch which is too large for the memory is met at once.
    """
    order = sorted(range(len(lengths)), key=lambda at: (-lengths[at], at))
    groups: list[list[int]] = []
    for at in order:
        if groups and lengths[groups[-1][0]] * (len(groups[-1]) + 1) <= budget:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


def run_by_length(
    run: Callable[[list[T]], Sequence[R | Failure]],
    items: Sequence[T],
    lengths: Sequence[int],
    budget: int,
    stage: Stage,
) -> list[R | Failure]:
    """What `run` gives for the items, in their order, run in groups `by_length` and `halving`.

    Raises:
        OSError: of several items none has room even alone, which is the machine's fault: stored as
            theirs, it would stay when memory is free again.
    """
    answers: dict[int, R | Failure] = {}
    for group in by_length(lengths, budget):
        found = halving(run, [items[at] for at in group], stage)
        answers.update(zip(group, found, strict=True))
    ordered = [answers[at] for at in range(len(items))]
    if len(ordered) > 1 and all(map(_has_no_room, ordered)):
        raise OSError(
            errno.ENOMEM,
            f"{stage}: memory has no room for any of {len(ordered)} rows, even alone; end what "
            "else fills it, or set device: cpu or a smaller model",
        )
    return ordered


def _has_no_room(answer: object) -> bool:
    return isinstance(answer, Failure) and answer.error.startswith(_ALONE)


def halving(
    run: Callable[[list[T]], Sequence[R | Failure]], items: list[T], stage: Stage
) -> list[R | Failure]:
    """What `run` gives for a batch; where memory runs out, for its two halves, and so on.

    Every halving is logged as a warning and is in the tally of `counted`; an item that doesn't fit
    alone becomes a `Failure`.
    """
    try:
        return list(run(items))
    except Exception as error:  # onnxruntime's have no other base
        if not is_out_of_memory(error):
            raise
        reason = str(error).partition("\n")[0]
    # Outside of the handler: the exception's frames would hold the batch's tensors in memory.
    _release()
    if len(items) == 1:
        return [Failure(stage, f"{_ALONE}: {reason}")]
    if (sizes := _HALVED.get()) is not None:
        sizes.append(len(items))
    half = len(items) // 2
    logging.getLogger(__name__).warning(
        "%s: out of memory on a batch of %d, going on with %d: %s", stage, len(items), half, reason
    )
    return halving(run, items[:half], stage) + halving(run, items[half:], stage)


def counted(function: Callable[..., Tally], *arguments: Any) -> Tally:
    """Call a stage's function; its tally, with how often a batch was halved for it."""
    sizes: list[int] = []
    before = _HALVED.set(sizes)
    try:
        tally = function(*arguments)
    finally:
        _HALVED.reset(before)
    return replace(tally, halved=len(sizes))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or on the CPU."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    may_be = isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime.")
    return may_be and any(words in str(error) for words in _WORDS)


def _release() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
