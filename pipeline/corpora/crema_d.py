"""CREMA-D: 91 actors, twelve sentences, six emotions.

Cao et al. 2014, "CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset", IEEE Transactions on
Affective Computing 5(4), https://doi.org/10.1109/TAFFC.2014.2336244. ODbL 1.0.
"""

from __future__ import annotations

import csv
import io
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
from pipeline.corpora.listing import BadListing
from pipeline.emotions import LabelMap, map_label
from pipeline.records import Gender, Recording, Utterance

_MAPPING: LabelMap = {
    "ang": "angry",
    "dis": "disgusted",
    "fea": "fearful",
    "hap": "happy",
    "neu": "neutral",
    "sad": "sad",
}
_SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
_GENDERS: dict[str, Gender] = {"Female": "female", "Male": "male"}
# Actor, sentence, emotion, level (LO, MD, HI, XX; one published file has a single X).
_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})")


class CremaD(Corpus):
    """The clips below a folder, by their file names; the label is the emotion that was acted.

    Actors' genders are read from `VideoDemographics.csv`, if it lies in the folder or above it.
    """

    engine: Literal["crema-d"] = "crema-d"
    version: ClassVar[int] = 2
    documented: ClassVar[Documented] = Documented(
        7442, 91, 5.2, "7442 clips of 91 actors (Cao et al. 2014); 2.5 s each (assumed)"
    )
    path: Path = Path("data/crema-d")
    """The repository's folder, or its AudioWAV."""

    def read(self) -> Iterator[Entry]:
        """List the clips in the order of their names.

        Raises:
            CorpusMissing: the folder is missing or holds no WAV file.
            BadListing: the table of actors is no CSV file.
        """
        what = "CREMA-D is github.com/CheyneyComputerScience/CREMA-D, cloned with git-lfs."
        folder = require(self.path, what, folder=True)
        genders = _read_genders(folder)
        yield from (_entry(clip, genders) for clip in clips_below(folder))


def _read_genders(folder: Path) -> Mapping[str, Gender]:
    """Gender by actor, as far as it is known; the table lies beside AudioWAV."""
    tables = [place / "VideoDemographics.csv" for place in (folder, folder.parent)]
    table = next((one for one in tables if one.is_file()), None)
    if table is None:
        return {}
    rows = csv.DictReader(io.StringIO(read_decoded(table), newline=""))
    try:
        return {
            row["ActorID"]: _GENDERS.get(row.get("Sex") or "", "unknown")
            for row in rows
            if row.get("ActorID")
        }
    except csv.Error as error:
        raise BadListing(f"corpus.path: '{table}' is no CSV file: {error}: get it anew") from error


def _entry(clip: Path, genders: Mapping[str, Gender]) -> Entry:
    name = _NAME.fullmatch(clip.stem)
    if name is None:
        return Unreadable(clip.name, f"'{clip.name}' is not a CREMA-D file name")
    actor, sentence, label, _ = name.groups()
    if sentence not in _SENTENCES:
        return Unreadable(clip.name, f"'{clip.name}' has the unknown sentence {sentence}")
    emotion = map_label(label, _MAPPING)
    if emotion is None:
        return Dropped(clip.stem, label)
    return Utterance(
        id=f"crema-d-{clip.stem}",
        corpus="crema-d",
        text=_SENTENCES[sentence],
        emotion=emotion,
        speaker=f"crema-d-{actor}",
        gender=genders.get(actor, "unknown"),
        licence="ODbL-1.0",
        recording=Recording(clip),
    )
