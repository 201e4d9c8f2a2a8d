"""Which rows make a batch: shuffled, or built so that stage 2 finds its positives and negatives.

An epoch is a pure function of its rows, the seed and its number, so that a position in the data is
one number, and resuming needs nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.losses import UNKNOWN

Group = list[int]


@dataclass(frozen=True)
class Rows:
    """What the sampler must know of each row: numbers [N] that are only compared.

    Speakers of whom nothing is known have the number `UNKNOWN`.
    """

    emotions: np.ndarray
    languages: np.ndarray
    sources: np.ndarray
    speakers: np.ndarray

    def __len__(self) -> int:
        return len(self.emotions)


@dataclass(frozen=True)
class BatchSampler:
    """Batches of row numbers without end; the last rows of an epoch go into a smaller batch.

    `paired`: rows come in quads of one speaker: two utterances of different emotions, each in two
    languages. So every row of a quad has its own utterance in another language as a positive, and
    the same speaker in another emotion as negatives. What finds no partner comes alone or in pairs.
    """

    rows: Rows
    batch_size: int
    paired: bool
    seed: int

    def __post_init__(self) -> None:
        if not len(self.rows):
            raise ValueError("there are no rows to sample")

    def batches(self, position: int = 0) -> Iterator[np.ndarray]:
        """Batches from the `position`-th on."""
        epoch = 0
        while True:
            batches = self._epoch(epoch)
            yield from batches[position:]
            position = max(0, position - len(batches))
            epoch += 1

    def _epoch(self, epoch: int) -> list[np.ndarray]:
        random = np.random.default_rng([self.seed, epoch])
        if not self.paired:
            order = random.permutation(len(self.rows))
            return [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        quads = _quads(self.rows, random)
        order = random.permutation(len(quads))
        return _packed([quads[i] for i in order], self.batch_size)


def _quads(rows: Rows, random: np.random.Generator) -> list[Group]:
    """All rows, in groups of one speaker with two emotions as far as there are.

    Nobody says that two utterances of unknown speakers are of one, so none are put together.
    """
    by_speaker: dict[int, dict[int, list[Group]]] = defaultdict(lambda: defaultdict(list))
    quads: list[Group] = []
    for pair in _pairs(rows, random):
        speaker = int(rows.speakers[pair[0]])
        if speaker == UNKNOWN:
            quads.append(pair)
        else:
            by_speaker[speaker][int(rows.emotions[pair[0]])].append(pair)
    for by_emotion in by_speaker.values():
        while by_emotion:
            most = sorted(by_emotion, key=lambda emotion: -len(by_emotion[emotion]))
            quads.append([row for emotion in most[:2] for row in by_emotion[emotion].pop()])
            for emotion in most[:2]:
                if not by_emotion[emotion]:
                    del by_emotion[emotion]
    return quads


def _pairs(rows: Rows, random: np.random.Generator) -> list[Group]:
    """All rows, in pairs of one utterance in two languages as far as there are.

    Both are of one speaker too: played at another speed, a clip counts as another's.
    """
    of_source: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in random.permutation(len(rows)):
        of_source[int(rows.sources[row]), int(rows.speakers[row])].append(int(row))
    pairs: list[Group] = []
    for of_one in of_source.values():
        pairs += _pair_up(of_one, rows.languages)
    return pairs


def _pair_up(rows: Sequence[int], languages: np.ndarray) -> list[Group]:
    pairs: list[Group] = []
    waiting: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        language = int(languages[row])
        other = next((key for key, held in waiting.items() if held and key != language), None)
        if other is None:
            waiting[language].append(row)
        else:
            pairs.append([waiting[other].pop(), row])
    return pairs + [[row] for held in waiting.values() for row in held]


def _packed(groups: Sequence[Group], batch_size: int) -> list[np.ndarray]:
    """Groups into batches, none broken unless it is larger than a batch."""
    batches: list[np.ndarray] = []
    batch: Group = []
    size = batch_size
    for group in (whole[i : i + size] for whole in groups for i in range(0, len(whole), size)):
        if batch and len(batch) + len(group) > batch_size:
            batches.append(np.array(batch))
            batch = []
        batch += group
    return [*batches, np.array(batch)]
