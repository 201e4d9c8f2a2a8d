"""ESD: 350 sentences in five emotions by ten speakers of English; those of Mandarin are left out.

Zhou et al. 2022, "Emotional voice conversion: theory, databases and ESD", Speech Communication 137,
https://github.com/HLTSingapore/Emotional-Speech-Data. By request, for research only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
from pipeline.corpora.encoding import read_decoded
from pipeline.emotions import LabelMap, map_label
from pipeline.records import Gender, Recording, Utterance

_MAPPING: LabelMap = {
    "angry": "angry",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "surprise": "surprised",
}
# As its ReadMe lists the speakers.
_GENDERS: Mapping[str, Gender] = {
    "0011": "male",
    "0012": "male",
    "0013": "male",
    "0014": "male",
    "0015": "female",
    "0016": "female",
    "0017": "female",
    "0018": "female",
    "0019": "female",
    "0020": "male",
}
# `0011_000351 <text> Angry`, by tabs or spaces.
_LINE = re.compile(r"(\d{4}_\d{6})\s+(\S.*?)\s+(\S+)\s*")


class Esd(Corpus):
    """The speakers 0011 to 0020; each one's folder holds a table of texts and labels, and clips.

    Clips may lie in a folder for each emotion, with or without one for each split below.
    """

    engine: Literal["esd"] = "esd"
    version: ClassVar[int] = 1
    documented: ClassVar[Documented] = Documented(
        17_500, 10, 14.5, "350 sentences, five emotions, ten speakers; half of 29 h (its ReadMe)"
    )
    path: Path = Path("data/esd")
    """The folder that holds 0011 to 0020."""

    def read(self) -> Iterator[Entry]:
        """List the utterances by speaker, in the order of each one's table.

        Raises:
            CorpusMissing: the folder is missing, or holds none of the English speakers.
        """
        what = "ESD is at github.com/HLTSingapore/Emotional-Speech-Data, by request."
        folder = require(self.path, what, folder=True)
        present = [speaker for speaker in _GENDERS if (folder / speaker).is_dir()]
        if not present:
            require(folder / "0011", "It is the first of ESD's English speakers.", folder=True)
        for speaker in present:
            yield from _read_speaker(folder / speaker)


def _read_speaker(folder: Path) -> Iterator[Entry]:
    what = "It lists what the speaker says, and how."
    table = require(folder / f"{folder.name}.txt", what, folder=False)
    clips = {clip.stem: clip for clip in clips_below(folder)}
    # The tables are of several encodings; their apostrophes say which.
    for number, line in enumerate(read_decoded(table).splitlines(), start=1):
        if line.strip():
            yield _entry(line.strip(), f"{table.name}:{number}", clips)


def _entry(line: str, where: str, clips: Mapping[str, Path]) -> Entry:
    found = _LINE.fullmatch(line)
    if found is None:
        return Unreadable(where, f"{where} is not a clip's name, a text and a label: {line[:60]!r}")
    name, text, label = found.groups()
    emotion = map_label(label, _MAPPING)
    if emotion is None:
        return Dropped(name, label)
    if name not in clips:
        return Unreadable(name, f"{where}: there is no clip '{name}.wav'")
    speaker = name[:4]
    return Utterance(
        id=f"esd-{name}",
        corpus="esd",
        text=text,
        emotion=emotion,
        speaker=f"esd-{speaker}",
        gender=_GENDERS.get(speaker, "unknown"),
        licence="LicenseRef-ESD-research-only",
        recording=Recording(clips[name]),
    )
