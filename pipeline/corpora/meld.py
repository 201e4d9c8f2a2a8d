"""MELD: utterances of a television series with seven emotions, as text; clips are optional.

Poria et al. 2019, "MELD: A Multimodal Multi-Party Dataset for Emotion Recognition in
Conversations", ACL. The repository is GPL-3.0; the dialogue belongs to its owners.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.corpora.base import Corpus, Documented, Dropped, Entry, Unreadable, require
from pipeline.corpora.encoding import read_decoded
from pipeline.corpora.listing import BadListing
from pipeline.emotions import LabelMap, map_label
from pipeline.records import Gender, Recording, Utterance

_MAPPING: LabelMap = {
    "anger": "angry",
    "disgust": "disgusted",
    "fear": "fearful",
    "joy": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprised",
}
_GENDERS: dict[str, Gender] = {
    "Monica": "female",
    "Phoebe": "female",
    "Rachel": "female",
    "Chandler": "male",
    "Joey": "male",
    "Ross": "male",
}
_CLIPS = (
    "MELD's clips come as dia0_utt0.mp4 in MELD.Raw.tar.gz (https://github.com/declare-lab/MELD): "
    "make a .wav of each, `ffmpeg -i dia0_utt0.mp4 dia0_utt0.wav`, or leave the field out to do "
    "without."
)
_TABLE = "MELD's CSV files are in https://github.com/declare-lab/MELD, below data/MELD."
_COLUMNS = {"Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID"}


class Meld(Corpus):
    """One of MELD's CSV files; with `audio`, a folder of `dia0_utt0.wav` clips cut from it."""

    engine: Literal["meld"] = "meld"
    version: ClassVar[int] = 2
    documented: ClassVar[Documented] = Documented(
        9989, 260, 10.0, "the training part (Poria et al. 2019); 3.6 s an utterance"
    )
    path: Path = Path("data/meld/train_sent_emo.csv")
    """The CSV file with the utterances."""
    audio: Path | None = None
    """The folder of the clips (none: text only)."""

    def read(self) -> Iterator[Entry]:
        """List the utterances in the order of the file.

        Raises:
            CorpusMissing: the file or the audio folder is missing.
            BadListing: the file is no CSV file, or has other columns.
        """
        table = require(self.path, _TABLE, folder=False)
        audio = self.audio and require(self.audio, _CLIPS, folder=True, name="audio")
        rows = csv.DictReader(io.StringIO(read_decoded(table), newline=""))
        try:
            if lacking := sorted(_COLUMNS - set(rows.fieldnames or ())):
                raise BadListing(
                    f"corpus.path: '{table.name}' has no column {', '.join(lacking)}. {_TABLE}"
                )
            for number, row in enumerate(rows, start=2):
                yield _entry(row, table.stem, audio, f"{table.name}:{number}")
        except csv.Error as error:
            raise BadListing(f"corpus.path: '{table.name}' is no CSV file: {error}") from error


def _entry(row: dict[str, str], part: str, audio: Path | None, where: str) -> Entry:
    """An utterance; its id names the part, as each of the three numbers its dialogues from 0."""
    missing = sorted(name for name in _COLUMNS if row.get(name) is None)
    if missing:
        return Unreadable(where, f"line {where.rpartition(':')[2]} lacks {', '.join(missing)}")
    for column in ("Dialogue_ID", "Utterance_ID"):
        if not row[column].isdecimal():  # it names a file, and a lost comma shifts the columns
            return Unreadable(where, f"{where}: {column} {row[column]!r} is no number")
    if not (row["Speaker"].strip() and row["Speaker"].isprintable()):
        return Unreadable(where, f"{where}: Speaker {row['Speaker']!r} is no name")
    name = f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}"
    emotion = map_label(row["Emotion"], _MAPPING)
    if emotion is None:
        return Dropped(name, row["Emotion"])
    return Utterance(
        id=f"meld-{part}-{name}",
        corpus="meld",
        text=row["Utterance"].strip(),
        emotion=emotion,
        speaker=f"meld-{row['Speaker']}",
        gender=_GENDERS.get(row["Speaker"], "unknown"),
        licence="GPL-3.0-only",
        recording=Recording(audio / f"{name}.wav") if audio else None,
    )
