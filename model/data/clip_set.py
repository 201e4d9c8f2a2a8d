"""Clips that a model is trained and measured on, and batches of them.

Shapes of a batch: B clips, F frames (of the longest), A the encoder's width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from model.data.clips import read_audio
from model.data.recordings import as_in_takes
from model.data.sampling import Rows
from model.network.encoder import FrozenEncoder
from pipeline.engine import digest

_MEASURED = 1024
"""Clips that are enough to know the encoder's channels by."""


@dataclass(frozen=True)
class Batch:
    """Frames float16 [B, F, A], lengths [B], and numbers [B] of what is known of each clip."""

    frames: Tensor
    lengths: Tensor
    emotions: Tensor
    languages: Tensor
    sources: Tensor
    speakers: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device; a GPU is not waited for, if it is `pinned`."""
        ahead = device.type == "cuda"
        return Batch(**{n: one.to(device, non_blocking=ahead) for n, one in vars(self).items()})

    def pinned(self, device: torch.device) -> Batch:
        """The same in memory that a GPU reads by itself, from any thread."""
        with torch.cuda.device(device):  # a new thread's is the first, which others may fill
            return Batch(**{name: one.pin_memory() for name, one in vars(self).items()})


@dataclass(frozen=True)
class ClipSet:
    """Clips by number, in columns [N]; `speaker_names` numbers the speakers."""

    described: pa.Table
    """What the sets say of each clip in their own words: name, source and speaker."""
    rows: Rows
    synthetic: np.ndarray
    part: np.ndarray
    speed: np.ndarray
    """Which of the recipe's speeds a clip is played at, by place."""
    start: np.ndarray
    size: np.ndarray
    items: tuple[Path, ...]
    encoder: FrozenEncoder
    holds_frames: bool
    longest_s: float
    labels: tuple[str, ...]
    language_names: tuple[str, ...]
    speaker_names: tuple[str, ...]
    dropped: dict[str, int]
    """Rows that are not used, by reason; one that is played at several speeds counts once."""

    def __len__(self) -> int:
        return len(self.rows)

    def chosen(self, kept: np.ndarray) -> ClipSet:
        """The clips that a mask [N] or row numbers select."""
        columns = {name: values[kept] for name, values in vars(self.rows).items()}
        numbers = np.flatnonzero(kept) if kept.dtype == bool else kept
        return replace(
            self,
            described=self.described.take(pa.array(numbers)),
            rows=Rows(**columns),
            synthetic=self.synthetic[kept],
            part=self.part[kept],
            speed=self.speed[kept],
            start=self.start[kept],
            size=self.size[kept],
        )

    @property
    def names(self) -> pa.ChunkedArray:
        """Name of each clip [N]."""
        return self.described["name"]

    def languages(self) -> np.ndarray:
        """Name of each clip's language [N]."""
        names: np.ndarray = np.array(self.language_names, dtype=object)[self.rows.languages]
        return names

    def speakers(self) -> np.ndarray:
        """Name of each clip's speaker [N], also of one whom the training doesn't know.

        Empty where the set doesn't say.
        """
        names: np.ndarray = self.described["speaker"].to_numpy().astype(str)
        return names

    def sources(self) -> np.ndarray:
        """Name of each clip's source utterance [N]."""
        names: np.ndarray = self.described["source"].to_numpy().astype(str)
        return names

    def fingerprint(self) -> str:
        """Names what was loaded: the sets' files, and how they were encoded."""
        return digest([path.parent.name for path in self.items])

    def shared_utterances(self, other: ClipSet) -> list[str]:
        """Names of clips, one of each source utterance that another set of clips has too.

        A listed recording goes by its sound, and takes by the name of what they were made of: so
        its own name is held against theirs.
        """
        sources, names = set(other.sources()), set(other.names.to_pylist())
        shared = {
            source: name
            for source, name in zip(self.sources(), self.names.to_pylist(), strict=True)
            if source and (source in sources or source in names or name in sources)
        }
        return sorted(shared.values())

    def shared_speakers(self, other: ClipSet) -> list[str]:
        """Names of the speakers that another set of clips has too.

        Those of a list are its folder's own; takes that were made of one say only their name.
        """
        theirs = set(other.speakers())
        theirs_in_takes = {as_in_takes(name) for name in theirs}
        shared = {
            name
            for name in self.speakers()
            if name in theirs or as_in_takes(name) in theirs or name in theirs_in_takes
        }
        return sorted(shared - {""})

    def frames(self, numbers: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """Encoder frames of some clips, each float16 [F, A] at its true length."""
        if not self.holds_frames:
            return self.encoder.encode(self.audio(numbers))
        held = [self._item(int(number)) for number in numbers]
        return [item.view(np.float16).reshape(-1, self.encoder.width) for item in held]

    def audio(self, numbers: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """Samples of some clips, each float32 [T] at 16 kHz.

        Raises:
            ValueError: frames are held, and no audio.
        """
        if self.holds_frames:
            raise ValueError("these clips are held as encoder frames: load them as audio")
        held = [self._item(int(number)) for number in numbers]
        return [read_audio(item.tobytes(), self.longest_s) for item in held]

    def batch(self, numbers: Sequence[int] | np.ndarray) -> Batch:
        """Some clips, padded to the longest, in the half precision that they are held in."""
        frames = [torch.from_numpy(np.array(one)) for one in self.frames(numbers)]
        columns = {
            name: torch.from_numpy(np.asarray(values[numbers], dtype=np.int64))
            for name, values in vars(self.rows).items()
        }
        lengths = torch.tensor([len(one) for one in frames])
        return Batch(pad_sequence(frames, batch_first=True), lengths, **columns)

    def channel_statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation [A] of the frames' channels, over at most 1024 clips.

        Prosody that could not be measured is left out.
        """
        count, sums, squares = np.zeros((3, self.encoder.width))
        for number in np.linspace(0, len(self) - 1, min(len(self), _MEASURED)).astype(int):
            [frames] = self.frames([number])
            values = frames.astype(np.float64)
            count += (~np.isnan(values)).sum(axis=0)
            sums += np.nansum(values, axis=0)
            squares += np.nansum(values**2, axis=0)
        mean = sums / np.maximum(count, 1)
        deviation = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0.0))
        return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()

    def _item(self, number: int) -> np.ndarray:
        start = self.start[number]
        item: np.ndarray = self._open[self.part[number]][start : start + self.size[number]]
        return item

    @cached_property
    def _open(self) -> list[np.ndarray]:
        return [
            np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
            for path in self.items
        ]
