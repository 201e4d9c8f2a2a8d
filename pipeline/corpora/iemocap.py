"""IEMOCAP: five sessions of two actors each, scripted and improvised.

Busso et al. 2008, "IEMOCAP: interactive emotional dyadic motion capture database", Language
Resources and Evaluation 42(4), https://sail.usc.edu/iemocap/. By request, not to be passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.corpora.base import Corpus, Documented, Dropped, Entry, Unreadable, require
from pipeline.emotions import LabelMap, map_label
from pipeline.records import Recording, Utterance

_MAPPING: LabelMap = {
    "ang": "angry",
    "dis": "disgusted",
    "exc": "happy",  # as is usual in the field; frustrated, other and undecided map to none
    "fea": "fearful",
    "hap": "happy",
    "neu": "neutral",
    "sad": "sad",
    "sur": "surprised",
}
# [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]
_LABEL = re.compile(r"\[[\d.]+ - [\d.]+\]\t(\S+)\t(\w+)\t\[.*\]")
# Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.
_TEXT = re.compile(r"(\S+) \[[\d.]+-[\d.]+\]: *(.*)")
_TURN = re.compile(r"(Ses\d\d)[FM]_\w+_([FM])\d+")
_EVENT = re.compile(r"\[[A-Z_ ]+\]|\+\+[A-Z_ ]+\+\+", re.IGNORECASE)
"""What is heard but not said, as [LAUGHTER]: it is not for a translator."""


class Iemocap(Corpus):
    """The turns that were evaluated, each with its majority label; its clip is cut already."""

    engine: Literal["iemocap"] = "iemocap"
    version: ClassVar[int] = 1
    documented: ClassVar[Documented] = Documented(
        5680,
        10,
        7.0,
        "the labels of 10039 turns, without frustrated, other and undecided; 12 h of all turns",
    )
    path: Path = Path("data/iemocap")
    """The folder that holds Session1 to Session5."""

    def read(self) -> Iterator[Entry]:
        """List the turns by session and dialogue, in the order of each one's evaluation.

        Raises:
            CorpusMissing: the folder is missing, or holds no session's evaluations.
        """
        what = "IEMOCAP is given out at sail.usc.edu/iemocap, by request."
        folder = require(self.path, what, folder=True)
        evaluations = sorted(folder.glob("Session?/dialog/EmoEvaluation/Ses*.txt"))
        if not evaluations:
            first = folder / "Session1/dialog/EmoEvaluation"
            require(first / "Ses*.txt", "No session has its evaluations.", folder=False)
        for evaluation in evaluations:
            yield from _read_dialogue(evaluation)


def _read_dialogue(evaluation: Path) -> Iterator[Entry]:
    session = evaluation.parents[2]
    texts = _read_texts(session / "dialog/transcriptions" / evaluation.name)
    clips = session / "sentences/wav" / evaluation.stem
    with evaluation.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found = _LABEL.fullmatch(line.rstrip())
            if found:
                yield _entry(found[1], found[2], texts, clips)


def _read_texts(transcription: Path) -> Mapping[str, str]:
    """Text by turn; empty where the dialogue has no transcription."""
    if not transcription.is_file():
        return {}
    with transcription.open(encoding="utf-8", errors="replace") as lines:
        found = [_TEXT.fullmatch(line.strip()) for line in lines]
    return {one[1]: " ".join(_EVENT.sub(" ", one[2]).split()) for one in found if one}


def _entry(turn: str, label: str, texts: Mapping[str, str], clips: Path) -> Entry:
    emotion = map_label(label, _MAPPING)
    if emotion is None:
        return Dropped(turn, label)
    named = _TURN.fullmatch(turn)
    if named is None:
        return Unreadable(turn, f"'{turn}' is not the name of an IEMOCAP turn")
    if turn not in texts:
        return Unreadable(turn, f"'{turn}' has no line in its dialogue's transcription")
    session, speaker = named.groups()
    return Utterance(
        id=f"iemocap-{turn}",
        corpus="iemocap",
        text=texts[turn],
        emotion=emotion,
        # The letter after the session says who wears the markers, the last one who speaks.
        speaker=f"iemocap-{session}{speaker}",
        gender="female" if speaker == "F" else "male",
        licence="LicenseRef-IEMOCAP-release-form",
        recording=Recording(clips / f"{turn}.wav"),
    )
