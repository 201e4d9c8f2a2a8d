"""Groups of like length, and what happens when memory runs out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pretrained.batching import (
    by_length,
    counted,
    halving,
    is_out_of_memory,
    run_by_length,
)
from pipeline.records import Failure, Tally


@given(st.lists(st.integers(1, 50)), st.integers(1, 200))
def test_every_item_is_in_one_group_and_groups_keep_the_budget(lengths, budget):
    groups = by_length(lengths, budget)
    assert sorted(at for group in groups for at in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or max(lengths[at] for at in group) * len(group) <= budget


@given(st.lists(st.integers(1, 50)), st.integers(1, 200))
def test_answers_come_in_the_order_of_the_items(lengths, budget):
    items = list(range(len(lengths)))
    assert run_by_length(lambda batch: batch, items, lengths, budget, "judge") == items


def room_for(most):
    """A machine on which so many items fit, and what was asked of it."""
    asked = []

    def run(batch):
        asked.append(len(batch))
        if len(batch) > most:
            raise MemoryError("no room\nand much more")
        return [item * 2 for item in batch]

    return run, asked


def test_a_batch_is_halved_until_it_fits_and_every_halving_is_logged(caplog):
    run, asked = room_for(2)
    assert halving(run, [1, 2, 3, 4, 5], "judge") == [2, 4, 6, 8, 10]
    assert asked == [5, 2, 3, 1, 2]
    assert "judge: out of memory on a batch of 5, going on with 2: no room" in caplog.text
    assert len(caplog.records) == 2


def test_an_item_that_does_not_fit_alone_fails_alone():
    def run(batch):
        if 13 in batch:
            raise MemoryError("no room")
        return batch

    answers = halving(run, [1, 13, 3], "judge")
    assert answers == [1, Failure("judge", "out of memory on this row alone: no room"), 3]


def test_memory_that_has_no_room_for_any_of_several_items_is_no_fault_of_theirs():
    run, _ = room_for(0)
    with pytest.raises(OSError, match="judge: memory has no room for any of 3 rows, even alone"):
        run_by_length(run, [1, 2, 3], [5, 4, 1], 8, "judge")
    assert run_by_length(run, [], [], 8, "judge") == []
    (alone,) = run_by_length(run, [1], [5], 8, "judge")
    assert isinstance(alone, Failure)

    def short(batch):
        return room_for(1 if batch == [3] else 0)[0](batch)

    *long, fits = run_by_length(short, [1, 2, 3], [5, 4, 1], 8, "judge")
    assert all(isinstance(one, Failure) for one in long)
    assert fits == 6


def test_other_errors_are_not_swallowed():
    def run(batch):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        halving(run, [1, 2], "judge")


def test_what_counts_as_out_of_memory():
    import torch

    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    for words in (
        "[enforce] DefaultCPUAllocator: can't allocate memory",
        "CUDA error: out of memory",
        "MPS backend out of memory (MPS allocated: 8.00 GB)",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    ):
        assert is_out_of_memory(RuntimeError(words))
    assert not is_out_of_memory(RuntimeError("device-side assert"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_what_onnx_runtime_raises_counts_too():
    state = pytest.importorskip("onnxruntime.capi.onnxruntime_pybind11_state")
    arena = "bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 4771840"
    assert is_out_of_memory(state.RuntimeException(arena))
    assert is_out_of_memory(state.Fail("CUDA failure 2: out of memory"))
    assert not is_out_of_memory(state.InvalidArgument("Got invalid dimensions for input"))


def stage(rows):
    run, _ = room_for(2)
    return Tally(len(halving(run, rows, "judge")), 0)


def test_a_stage_s_tally_says_how_often_it_was_halved_for_it_alone():
    assert counted(stage, [1, 2, 3, 4, 5]) == Tally(5, 0, halved=2)
    assert counted(stage, [1]) == Tally(1, 0)
    stage([1, 2, 3])
    assert counted(lambda: replace(counted(stage, [1, 2, 3]), failed=1)) == Tally(3, 1)
