"""RAVDESS: 24 North American actors, two sentences, eight emotions.

Livingstone and Russo 2018, "The Ryerson Audio-Visual Database of Emotional Speech and Song",
PLoS ONE 13(5), https://doi.org/10.1371/journal.pone.0196391. CC BY-NC-SA 4.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.corpora.base import (
    Corpus,
    Documented,
    Dropped,
    Entry,
    Unreadable,
    clips_below,
    require,
)
from pipeline.emotions import LabelMap, map_label
from pipeline.records import Recording, Utterance

_LABELS: dict[str, str] = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
_MAPPING: LabelMap = {
    "neutral": "neutral",
    "happy": "happy",
    "sad": "sad",
    "angry": "angry",
    "fearful": "fearful",
    "disgust": "disgusted",
    "surprised": "surprised",
}
_SONG = "02"
_STATEMENTS = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")


class Ravdess(Corpus):
    """The speech clips below a folder, by their file names; song and `calm` are dropped."""

    engine: Literal["ravdess"] = "ravdess"
    version: ClassVar[int] = 2
    documented: ClassVar[Documented] = Documented(
        1248,
        24,
        1.3,
        "1440 speech clips less 192 calm ones (Livingstone and Russo 2018); 3.7 s each",
    )
    path: Path = Path("data/ravdess")
    """The folder that holds Actor_01 to Actor_24."""

    def read(self) -> Iterator[Entry]:
        """List the clips in the order of their names.

        Raises:
            CorpusMissing: the folder is missing or holds no WAV file.
        """
        folder = require(self.path, "RAVDESS is free on Zenodo, record 1188976.", folder=True)
        yield from (_entry(clip) for clip in clips_below(folder))


def _entry(clip: Path) -> Entry:
    name = _NAME.fullmatch(clip.stem)
    if name is None:
        return Unreadable(clip.name, f"'{clip.name}' is not a RAVDESS file name")
    _, channel, label, _, statement, _, actor = name.groups()
    if channel == _SONG:
        return Dropped(clip.stem, "song")
    if label not in _LABELS or statement not in _STATEMENTS:
        return Unreadable(clip.name, f"'{clip.name}' has an unknown emotion or statement number")
    emotion = map_label(_LABELS[label], _MAPPING)
    if emotion is None:
        return Dropped(clip.stem, _LABELS[label])
    return Utterance(
        id=f"ravdess-{clip.stem}",
        corpus="ravdess",
        text=_STATEMENTS[statement],
        emotion=emotion,
        speaker=f"ravdess-{actor}",
        gender="male" if int(actor) % 2 else "female",
        licence="CC-BY-NC-SA-4.0",
        recording=Recording(clip),
    )
