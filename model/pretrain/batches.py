"""Clips -> log-mels with labels, made by a process of its own and put together in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from model.pretrain.sentences import read_sentences
from model.pretrain.speech import Clip, clips
from model.pretrain.text import TAUGHT
from pipeline.whisper.encoding import log_mel

IGNORED = -100
"""A label that no loss counts (PyTorch's own)."""
PHONES = 256
"""Room for the phones of all languages: espeak-ng has some 150 in these six."""
N_MELS = 80
_EARLY_S, _LATE_S = -0.1, 0.16
"""Where a letter is heard, relative to its share of its word's time (assumed)."""
_MOST = 40
"""Clips in a batch: more steps are worth more than full batches of short clips."""
_MARGINS = (10, 10, 10, 100)
"""Padding behind the longest clip of a batch, drawn by chance, in mel frames of 10 ms: the judge's
short windows have 50 to 150, but what is padded is not learned from, and costs as much."""


@dataclass(frozen=True)
class Order:
    """What a chunk is made from: the same order gives the same clips."""

    seed: int
    number: int
    clips: int
    longest: int
    shares: tuple[float, ...]
    sentences: str | None = None
    """Folder of sentences to be read beside random words."""


@dataclass(frozen=True)
class Example:
    """A clip as the network takes it.

    `mel` float16 [N_MELS, T]; `phones` [T] are indices into `symbols`; `times_s` of the letters.
    """

    language: int
    mel: np.ndarray
    symbols: tuple[str, ...]
    phones: np.ndarray
    letters: str
    times_s: np.ndarray


@dataclass(frozen=True)
class Batch:
    """Examples of similar length; F = T / 2 encoder frames of 20 ms, L letters.

    Attributes:
        mel: [B, N_MELS, T], zero behind each clip as Whisper pads it.
        frames: Number of frames [B] that are clip and not padding.
        phones: Labels [B, F]; `IGNORED` behind the clip.
        languages: Indices [B] into `TAUGHT`.
        letters: Indices [B, L] into the network's letters; `IGNORED` behind the last.
        heard: Whether a letter is heard about a frame [B, L, F].
    """

    mel: Tensor
    frames: Tensor
    phones: Tensor
    languages: Tensor
    letters: Tensor
    heard: Tensor


def make_chunk(order: Order) -> list[Example]:
    """The examples of an order; runs in a process of its own, as espeak-ng keeps a state."""
    torch.set_num_threads(1)
    random = np.random.default_rng([order.seed, order.number])
    sentences = read_sentences(order.sentences) if order.sentences else None
    made = clips(order.clips, order.shares, order.longest, random, sentences)
    return [_example(clip) for clip in made]


def _example(clip: Clip) -> Example:
    mel = log_mel(clip.samples, N_MELS)
    symbols, index = np.unique(np.array(clip.phones, dtype=object), return_inverse=True)
    index = np.pad(index[: mel.shape[1]], (0, max(0, mel.shape[1] - len(index))), mode="edge")
    return Example(
        TAUGHT.index(clip.language),
        mel.numpy().astype(np.float16),
        tuple(symbols),
        index.astype(np.int16),
        clip.letters,
        clip.times_s.astype(np.float32),
    )


def batches(
    examples: Sequence[Example],
    phones: dict[str, int],
    letters: Mapping[str, int],
    seconds: float,
    random: np.random.Generator,
) -> Iterator[Batch]:
    """All examples in batches of about `seconds` of similar length, in random order.

    New phones are numbered in `phones`.
    """
    ordered = sorted(examples, key=lambda example: example.mel.shape[1])
    groups: list[list[Example]] = [[]]
    for example in ordered:
        full = len(groups[-1]) * example.mel.shape[1] > seconds * 100
        if full or len(groups[-1]) == _MOST:
            groups.append([])
        groups[-1].append(example)
    for index in random.permutation(len(groups)):
        yield _batch(groups[index], phones, letters, int(random.choice(_MARGINS)))


def _batch(
    group: list[Example], phones: dict[str, int], letters: Mapping[str, int], margin: int
) -> Batch:
    longest = (max(example.mel.shape[1] for example in group) + margin + 1) // 2 * 2
    mels = [torch.from_numpy(example.mel.astype(np.float32)) for example in group]
    labels = [torch.from_numpy(_numbered(example, phones)[::2]) for example in group]
    spelled = [torch.tensor([letters[c] for c in e.letters], dtype=torch.long) for e in group]
    return Batch(
        mel=torch.stack([pad(mel, (0, longest - mel.shape[1])) for mel in mels]),
        frames=torch.tensor([len(own) for own in labels]),
        phones=pad_sequence(
            [pad(own, (0, longest // 2 - len(own)), value=IGNORED) for own in labels], True
        ),
        languages=torch.tensor([example.language for example in group]),
        letters=pad_sequence(spelled, batch_first=True, padding_value=IGNORED),
        heard=_heard(group, longest // 2),
    )


def _numbered(example: Example, phones: dict[str, int]) -> np.ndarray:
    numbers = [phones.setdefault(symbol, len(phones)) for symbol in example.symbols]
    known = np.array([n if n < PHONES else IGNORED for n in numbers], dtype=np.int64)
    return np.asarray(known[example.phones])


def _heard(group: list[Example], frames: int) -> Tensor:
    """About a letter's time, which is known by its word alone [B, L, F]."""
    times_s = pad_sequence([torch.from_numpy(e.times_s) for e in group], batch_first=True)
    middles_s = 0.02 * torch.arange(frames) + 0.01
    late_s = middles_s - times_s[..., None]
    return (late_s > _EARLY_S) & (late_s < _LATE_S)
