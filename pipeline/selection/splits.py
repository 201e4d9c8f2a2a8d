"""Splits that never leak: a speaker and a text, with its near-duplicates, stay on one side."""

from __future__ import annotations

import unicodedata
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from pipeline.engine import Settings, digest
from pipeline.scripts import is_said

Split = Literal["train", "validation", "test"]
Share = Annotated[float, Field(ge=0, le=1)]

_NEAR_DUPLICATE = 0.8
"""Jaccard similarity of word-character 4-grams from which two sentences count as one (assumed)."""
_BANDS, _ROWS = 8, 4
_COMPARED = 32
"""Texts of one bucket that a text is compared with (assumed): few corpora vary a sentence so."""


class Splits(Settings):
    """Shares of the splits, and what may not be on two sides of them."""

    train: Share = 0.8
    """Share to learn from."""
    validation: Share = 0.1
    """Share to choose a model by."""
    test: Share = 0.1
    """Share to say what the model is worth."""
    by: tuple[Literal["speaker", "text"], ...] = ("speaker", "text")
    """What is on one side alone: speakers, texts or both."""
    seed: int = 0
    """Another seed divides otherwise."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"shares add up to {total:g}: make train + validation + test 1")
        return self


def assign_splits(
    ids: Sequence[str],
    speakers: Sequence[str],
    voices: Sequence[str],
    wordings: Iterable[Sequence[str]],
    traits: Sequence[Sequence[str]],
    settings: Splits,
) -> dict[str, Split]:
    """Split of each of N utterances: whole connected groups, the largest first, where most is due.

    `wordings`: the N texts in each language that they are known in, "" where one is missing.
    `traits`: of what each split is to have its share, for each utterance as many (its emotion, its
    speaker's gender), after the iterative stratification of Sechidis et al. 2011.

    Two utterances are connected if they share what `settings.by` names; a synthetic voice that
    serves two speakers joins them, and so does a translation that serves two sentences ("Yes." and
    "Yep." are "Ja." in German). A group never breaks, so a corpus in which every speaker says every
    sentence ends up in one split under both rules.
    """
    groups = _Groups(len(ids))
    if "speaker" in settings.by:
        groups.join_equal(speakers)
        groups.join_equal(voices)
    if "text" in settings.by:
        for texts in wordings:
            groups.join_pairs(equal_texts(texts))
            groups.join_pairs(near_duplicates(texts))
    members = sorted(
        groups.members(),
        key=lambda rows: (-len(rows), digest(settings.seed, min(ids[row] for row in rows))),
    )
    shares: dict[Split, float] = {
        "train": settings.train,
        "validation": settings.validation,
        "test": settings.test,
    }
    wanted = {name: share for name, share in shares.items() if share > 0}
    everybody = _counted(traits)
    filled: dict[Split, Counter[Trait]] = {name: Counter() for name in wanted}
    splits: dict[str, Split] = {}
    for rows in members:
        own = _counted([traits[row] for row in rows])
        due = {
            name: sum(
                count * (share - filled[name][trait] / everybody[trait])
                for trait, count in own.items()
            )
            for name, share in wanted.items()
        }
        split = max(due, key=due.__getitem__)
        filled[split] += own
        splits.update((ids[row], split) for row in rows)
    return splits


Trait = tuple[int, str]
"""Which of an utterance's traits, and its value."""


def _counted(traits: Sequence[Sequence[str]]) -> Counter[Trait]:
    """How many utterances have each trait; the first, which all have, is to be an utterance."""
    return Counter(trait for own in traits for trait in enumerate(("", *own)))


def normalise_text(text: str) -> str:
    """What is said of a text (see `is_said`) in lower case, one space between words."""
    return " ".join("".join(map(_heard, text.casefold())).split())


@cache
def _heard(character: str) -> str:
    """A sign that is said, nothing for a mark that is not, and a space for any other."""
    if is_said(character):
        return character
    return "" if unicodedata.category(character)[0] == "M" else " "


def equal_texts(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of rows whose texts have the same words: the first such row, and each other."""
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        words = normalise_text(text)
        if words and first.setdefault(words, row) != row:
            yield first[words], row


def near_duplicates(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of rows whose texts are nearly the same, by MinHash bands and then exact Jaccard.

    MinHash: Broder 1997, "On the resemblance and containment of documents". Of equal texts the
    first row stands for all (see `equal_texts`). Every text of a band's bucket is compared with the
    `_COMPARED` before it in the alphabet, so that the order of the rows changes nothing and the
    cost stays linear in N. Of pairs at a similarity s, a share of (1 - s^4)^8 meets in no band:
    1.5 % at 0.8, and 0.01 % at 0.9.
    """
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        first.setdefault(normalise_text(text), row)
    words = sorted(first)
    bands, filled = _bands(words)
    for band in range(_BANDS):
        keys = bands[:, band]
        bucket: deque[int] = deque(maxlen=_COMPARED)
        for at in filled[np.argsort(keys[filled], kind="stable")].tolist():
            if bucket and keys[bucket[0]] != keys[at]:
                bucket.clear()
            for other in bucket:
                if _jaccard(_shingles(words[other]), _shingles(words[at])) >= _NEAR_DUPLICATE:
                    rows = first[words[other]], first[words[at]]
                    yield min(rows), max(rows)
            bucket.append(at)


def _bands(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Hash of each band of each text's signature, uint64 [N, _BANDS]; the rows that have one."""
    seeds = np.random.default_rng(0).integers(0, 1 << 64, size=_BANDS * _ROWS, dtype=np.uint64)
    mixing = np.uint64(0x9E3779B97F4A7C15) ** np.arange(_ROWS, dtype=np.uint64)
    bands = np.zeros((len(texts), _BANDS), dtype=np.uint64)
    filled = []
    for row, text in enumerate(texts):
        shingles = _shingles(text)
        if shingles.size:
            signature = _minhash(shingles, seeds).reshape(_BANDS, _ROWS)
            bands[row] = (signature * mixing).sum(axis=1)
            filled.append(row)
    return bands, np.array(filled, dtype=np.int64)


def _shingles(words: str) -> np.ndarray:
    """Hashes of the 4-grams of a normalised text, in order and each once, uint64 [S]."""
    grams = {words[start : start + 4] for start in range(max(1, len(words) - 3))} - {""}
    return np.array(sorted(zlib.crc32(gram.encode()) for gram in grams), dtype=np.uint64)


def _minhash(shingles: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The least of the shingles [N] by each of the hash functions [H], uint64 [H].

    The hash is the finaliser of SplitMix64 (Steele, Lea and Flood 2014, OOPSLA): one that keeps
    the order of the shingles, as a linear one without overflow does, would give all functions the
    same minimum.
    """
    mixed = shingles[None, :] ^ seeds[:, None]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))).min(axis=1))


def _jaccard(left: np.ndarray, right: np.ndarray) -> float:
    common = np.intersect1d(left, right, assume_unique=True).size
    return common / (left.size + right.size - common)


class _Groups:
    """Connected rows (union-find)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def _root(self, row: int) -> int:
        while self._parent[row] != row:
            self._parent[row] = self._parent[self._parent[row]]
            row = self._parent[row]
        return row

    def join_pairs(self, pairs: Iterable[tuple[int, int]]) -> None:
        for left, right in pairs:
            self._parent[self._root(right)] = self._root(left)

    def join_equal(self, keys: Sequence[str]) -> None:
        first: dict[str, int] = {}
        self.join_pairs((first.setdefault(key, row), row) for row, key in enumerate(keys))

    def members(self) -> list[list[int]]:
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for row in range(len(self._parent)):
            groups[self._root(row)].append(row)
        return list(groups.values())
