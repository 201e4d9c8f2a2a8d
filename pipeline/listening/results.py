"""What listeners heard of a set, held against what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.dataset.reading import damage_named, open_folder
from pipeline.errors import InputError
from pipeline.languages import LANGUAGES
from pipeline.listening.agreement import krippendorff_alpha
from pipeline.listening.answers import NONE, Answers, read_answers
from pipeline.listening.draw import Clip, draw_clips, draw_id
from pipeline.listening.interval import recalls
from pipeline.metrics import confusion
from pipeline.plain import plain

ALL, KNOWN, UNKNOWN = "all", "known", "unknown"
"""Languages taken together."""


@dataclass(frozen=True)
class Heard:
    """What listeners heard of a part of a test.

    `language`: a code, all, or those that each listener said they know, or don't. `ua`, in percent,
    and its 95 % interval: the mean recall of the emotions that were meant, over all answers, where
    none of them is a miss. `interval_over`: what the interval is over, sentences and, of several
    who listened, listeners. `naturalness`: the mean, from 1 to 5 (ITU-T P.800).
    """

    takes: str
    language: str
    clips: int
    answers: int
    listeners: int
    ua: float
    ua_interval: tuple[float, float]
    interval_over: tuple[str, ...]
    naturalness: float


@dataclass(frozen=True)
class Results:
    """All of a test: parts, what was heard as what [C, C + 1], and how far listeners agree.

    `heard_as`: the columns of the confusions, the emotions and none of them.
    """

    listeners: int
    emotions: tuple[str, ...]
    heard_as: tuple[str, ...]
    parts: tuple[Heard, ...]
    confusion: tuple[tuple[int, ...], ...]
    alpha: float

    def as_dict(self) -> dict[str, Any]:
        """For `--json`; an agreement that is unknown is null."""
        return {**asdict(self), "alpha": None if np.isnan(self.alpha) else round(self.alpha, 4)}


def results_of(folder: Path, files: Sequence[Path]) -> Results:
    """Hold the answers of listeners against what was meant.

    Raises:
        InputError: a file is not what the page saved, or of another test or set.
    """
    for file in files:
        if not file.is_file():
            raise InputError(f"'{file}' is not there: give the files that the listeners sent back")
    every = [read_answers(file) for file in files]
    with damage_named(folder), open_folder(folder) as dataset:
        clips = draw_clips(dataset, every[0].draw)
        emotions = dataset.emotions
    _one_test(files, every, clips)
    rows = _Rows.of(every, clips, emotions)
    kept, classes = rows.part(rows.kept), len(emotions) + 1
    return Results(
        listeners=len(every),
        emotions=emotions,
        heard_as=(*emotions, NONE),
        parts=tuple(_parts(rows)),
        confusion=tuple(map(tuple, confusion(kept.meant, kept.heard, classes)[:-1].tolist())),
        alpha=krippendorff_alpha(rows.by_clip(classes)),
    )


def _one_test(files: Sequence[Path], every: Sequence[Answers], clips: Sequence[Clip]) -> None:
    """All are answers to the test of these clips, each by a listener of their own."""
    keys, wanted, listeners = {clip.key for clip in clips}, draw_id(list(clips)), set()
    for file, one in zip(files, every, strict=True):
        if one.test != wanted or not {answer.clip for answer in one.answers} <= keys:
            raise InputError(
                f"'{file}' answers another test, or the set was built anew since: score it with "
                "the folder that its page was made from"
            )
        if one.listener in listeners:
            raise InputError(
                f"'{file}': listener '{plain(one.listener)}' has answered twice: leave one"
            )
        listeners.add(one.listener)
    if not any(one.answers for one in every):
        raise InputError("no file holds an answer")


@dataclass(frozen=True)
class _Rows:
    """Answers [N] as numbers: classes that were meant and heard, of which clip, and by whom.

    `heard` is the class behind the last where it was none. `known`: 1 where the listener said that
    they know the language, 0 where they don't, NaN where they said nothing of it.
    """

    meant: np.ndarray
    heard: np.ndarray
    naturalness: np.ndarray
    clip: np.ndarray
    source: np.ndarray
    language: np.ndarray
    kept: np.ndarray
    listener: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, every: Sequence[Answers], clips: Sequence[Clip], emotions: Sequence[str]) -> _Rows:
        by_key = {clip.key: clip for clip in clips}
        told = [(answer, by_key[answer.clip], one) for one in every for answer in one.answers]
        heard_as = (*emotions, NONE)
        strange = {answer.emotion for answer, _, _ in told} - set(heard_as)
        if strange:
            raise InputError(f"the set has no {', '.join(sorted(strange))}: not its test's answers")
        return cls(
            meant=np.array([emotions.index(clip.emotion) for _, clip, _ in told]),
            heard=np.array([heard_as.index(answer.emotion) for answer, _, _ in told]),
            naturalness=np.array([answer.naturalness for answer, _, _ in told]),
            clip=np.array([clip.key for _, clip, _ in told]),
            source=np.array([clip.source_id for _, clip, _ in told]),
            language=np.array([clip.language for _, clip, _ in told]),
            kept=np.array([clip.kept for _, clip, _ in told], dtype=bool),
            listener=np.array([one.listener for _, _, one in told]),
            known=np.array([_knows(one, clip) for _, clip, one in told]),
        )

    def part(self, mask: np.ndarray) -> _Rows:
        return _Rows(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))

    def by_clip(self, classes: int) -> np.ndarray:
        """Counts [clips, classes] of what was heard."""
        _, place = np.unique(self.clip, return_inverse=True)
        counts = np.zeros((place.max() + 1, classes), dtype=int)
        np.add.at(counts, (place, self.heard), 1)
        return counts


def _knows(one: Answers, clip: Clip) -> float:
    return np.nan if one.known is None else float(clip.language in one.known)


def _parts(rows: _Rows) -> Iterator[Heard]:
    """Kept and rejected takes, in all languages, in those known to who listens, and in each."""
    masks = {ALL: np.ones(len(rows.meant), bool), KNOWN: rows.known == 1, UNKNOWN: rows.known == 0}
    masks.update({language: rows.language == language for language in LANGUAGES})
    for takes, chosen in (("kept", rows.kept), ("rejected", ~rows.kept)):
        for language, mask in masks.items():
            own = rows.part(chosen & mask)
            if len(own.meant):
                yield _heard(takes, language, own)


def _heard(takes: str, language: str, own: _Rows) -> Heard:
    ua, (low, high) = recalls(own.meant, own.heard, own.listener, own.source)
    listeners = len(set(own.listener))
    return Heard(
        takes=takes,
        language=language,
        clips=len(set(own.clip)),
        answers=len(own.meant),
        listeners=listeners,
        ua=100 * ua,
        ua_interval=(100 * low, 100 * high),
        interval_over=("sentences", "listeners") if listeners > 1 else ("sentences",),
        naturalness=float(own.naturalness.mean()),
    )
