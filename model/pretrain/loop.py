"""The training: chunk after chunk of fresh clips, resumable after each."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from model.pretrain.batches import Batch, Example, Order, batches, make_chunk
from model.pretrain.network import ALPHABET, Pretraining, Shape, complete, vocabulary
from model.pretrain.text import TAUGHT
from pipeline.whisper.checkpoint import load_checkpoint, save_checkpoint

_AHEAD = 2
"""Chunks that are made while one is learned."""
_GRADIENT_NORM = 1.0
_LEAST_SHARE = 0.06
_HARDNESS = 3
"""A language is read in proportion to this power of its loss (assumed)."""


@dataclass(frozen=True)
class Settings:
    """What a training depends on; the same settings give the same weights on the same machine."""

    clips: int
    seed: int = 0
    shape: Shape = field(default_factory=Shape)
    chunk: int = 640
    batch_s: float = 32.0
    learning_rate: float = 1.5e-3
    warmup_steps: int = 200
    decay_from: float = 0.6
    """Share of the clips after which the learning rate falls, in a line, to the end."""
    longest: int = 8
    ema: float = 0.995
    sentences: str | None = None
    """Folder of sentences that are read beside random words (`model.pretrain.sentences`)."""
    start: str | None = None
    """Checkpoint whose spelling alone is to be learned (none: from nothing)."""

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.clips // self.chunk)


@dataclass
class State:
    """All that a training knows between two chunks."""

    network: Pretraining
    optimiser: torch.optim.Optimizer
    average: dict[str, Tensor]
    step: int = 0
    phones: dict[str, int] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    """Of each chunk: mean losses, the letter loss by language, clips, and steps."""


def fresh(settings: Settings) -> State:
    """A network that has learned nothing."""
    torch.manual_seed(settings.seed)
    network = Pretraining(settings.shape)
    if settings.start:
        network.begin_from(load_checkpoint(settings.start, device="cpu", dtype="float32").model)
    optimiser = torch.optim.AdamW(
        _groups(network),
        lr=settings.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=0.01,
        fused=True,
    )
    average = {name: value.clone() for name, value in network.state_dict().items()}
    return State(network, optimiser, average)


def train(settings: Settings, kept: Path, out: Path, tell: Callable[[State], None]) -> State:
    """Train to the end, from where the file `kept` stands.

    After every chunk the training is kept, the averaged weights are written to `out` as a
    checkpoint that the judge loads, and `tell` is called.
    """
    state = fresh(settings)
    if kept.is_file():
        _restore(state, torch.load(kept, weights_only=True))
    with _workers() as workers:
        coming: dict[int, Future[list[Example]]] = {}
        for number in range(len(state.history), settings.chunks):
            for ahead in range(number, min(number + _AHEAD + 1, settings.chunks)):
                if ahead not in coming:
                    order = _order(settings, state.history, ahead)
                    coming[ahead] = workers.submit(make_chunk, order)
            state.history.append(_learn(settings, state, number, coming.pop(number).result()))
            _keep(state, kept)
            whisper = complete(state.average, settings.shape)
            save_checkpoint(out, whisper, "letters", vocabulary())
            tell(state)
    return state


def _order(settings: Settings, history: list[dict[str, float]], number: int) -> Order:
    """Sentences grow from one word, unless words are known.

    The harder a language, the more of it is read.

    A chunk depends on the chunks that were learned before it was ordered, so it is the same
    after a resume.
    """
    learned = number - _AHEAD
    known = settings.longest if settings.start else 1 + number * settings.chunk // 1200
    longest = min(settings.longest, known)
    shares = np.full(len(TAUGHT), 1 / len(TAUGHT))
    if learned > 0:
        losses = np.array([history[learned - 1][language] for language in TAUGHT])
        hard = losses**_HARDNESS
        shares = np.maximum(hard / hard.sum(), _LEAST_SHARE)
        shares /= shares.sum()
    return Order(
        settings.seed, number, settings.chunk, longest, tuple(shares.tolist()), settings.sentences
    )


def _learn(
    settings: Settings, state: State, number: int, examples: list[Example]
) -> dict[str, float]:
    """One pass over a chunk; its mean losses."""
    random = np.random.default_rng([settings.seed, number, 1])
    letters = {letter: index for index, letter in enumerate(ALPHABET)}
    sums: dict[str, float] = {}
    by_language = np.zeros((2, len(TAUGHT)))
    steps = 0
    state.network.train()
    for batch in batches(examples, state.phones, letters, settings.batch_s, random):
        losses, own = _step(settings, state, batch)
        steps += 1
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value)
        np.add.at(by_language[0], batch.languages.numpy(), own.numpy())
        np.add.at(by_language[1], batch.languages.numpy(), 1)
    means = {name: value / steps for name, value in sums.items()}
    each = by_language[0] / np.maximum(by_language[1], 1)
    return {**means, **dict(zip(TAUGHT, each.tolist(), strict=True)), "steps": state.step}


def _step(settings: Settings, state: State, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
    for group in state.optimiser.param_groups:
        group["lr"] = settings.learning_rate * _schedule(settings, state)
    losses, own = state.network(batch)
    state.optimiser.zero_grad()
    losses["total"].backward()
    nn.utils.clip_grad_norm_(state.network.parameters(), _GRADIENT_NORM)
    state.optimiser.step()
    state.step += 1
    keep = min(settings.ema, state.step / (state.step + 9))
    for name, value in state.network.state_dict().items():
        state.average[name].lerp_(value, 1 - keep)
    return {name: value.detach() for name, value in losses.items()}, own


def _schedule(settings: Settings, state: State) -> float:
    """Share of the learning rate: up within the warm-up, down over the last part."""
    done = len(state.history) / settings.chunks
    down = (1 - done) / (1 - settings.decay_from)
    return min(1.0, (state.step + 1) / settings.warmup_steps, max(down, 0.05))


def _groups(network: nn.Module) -> list[dict[str, Any]]:
    """Matrices decay; gains, biases and embeddings don't."""
    learning = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
    matrices = [p for n, p in learning if p.ndim > 1 and "embedding" not in n]
    others = [p for n, p in learning if p.ndim <= 1 or "embedding" in n]
    return [{"params": matrices}, {"params": others, "weight_decay": 0.0}]


def _workers() -> ProcessPoolExecutor:
    """One process after the other, a fresh one for every chunk."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["model.pretrain.batches", "whisper"])
    return ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1)


def _keep(state: State, path: Path) -> None:
    """Written beside and moved: a kill leaves the old one whole."""
    held = {
        "network": state.network.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "average": state.average,
        "step": state.step,
        "phones": state.phones,
        "history": state.history,
    }
    new = path.with_suffix(".new")
    torch.save(held, new)
    new.replace(path)


def _restore(state: State, held: dict[str, Any]) -> None:
    state.network.load_state_dict(held["network"])
    state.optimiser.load_state_dict(held["optimiser"])
    state.average, state.step = held["average"], held["step"]
    state.phones, state.history = held["phones"], held["history"]
