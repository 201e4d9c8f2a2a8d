"""The processes that train together, each with a device of its own or a share of the CPU."""

from __future__ import annotations

from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState
from torch import distributed, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel


def together() -> PartialState:
    """This process among them; it is alone unless a launcher (`torchrun`) says otherwise."""
    return PartialState(cpu=_on_cpu())


def accelerator(precision: str) -> Accelerator:
    """Their accelerator; modules are wrapped so that each may leave parameters unused."""
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(mixed_precision=precision, cpu=_on_cpu(), kwargs_handlers=[unused])


def shard(model: nn.Module, llama: Any, device: torch.device) -> None:
    """Split the frozen weights of the LLaMA in `model` among the processes (PyTorch's FSDP2).

    Its layers, embeddings and head are units of their own, since they are also called one by one.
    What is trained stays whole in every process and is averaged as the rest of `model` is. After
    each call a unit is let go: were it kept, only the process that writes a checkpoint would let go
    of it, gather it again, and wait for the others for ever.
    """
    # A group of its own: in the one that averages gradients, either could come first in a rank.
    mesh = DeviceMesh.from_group(distributed.new_group(), device.type)
    trained = {parameter for parameter in llama.parameters() if parameter.requires_grad}
    for unit in (*llama.model.layers, llama.get_input_embeddings(), llama.lm_head):
        fully_shard(unit, mesh=mesh, reshard_after_forward=True, ignored_params=trained)
    split = [name for name, value in model.named_parameters() if isinstance(value, DTensor)]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, split)  # type: ignore[no-untyped-call]


def _on_cpu() -> bool:
    """Said outright: without a GPU accelerate takes several processes for as many alone."""
    return not torch.accelerator.is_available()
