"""The kept takes in numbers, and the voices that they have."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.cards import tables
from pipeline.cards.templates import spoken
from pipeline.dataset.reading import DatasetFolder


@dataclass(frozen=True)
class Kept:
    """Of the kept takes: their number and seconds, and the voices, speakers and sources in them."""

    takes: int
    seconds: float
    voices: int
    speakers: int
    sources: int

    @property
    def length(self) -> str:
        """Of all together, in minutes or hours."""
        return spoken(self.seconds)


@dataclass(frozen=True)
class Voices:
    """How many voices are listed, were judged, and kept nothing."""

    shown: int
    judged: int
    kept_nothing: int


def kept(dataset: DatasetFolder) -> Kept:
    """Count what was kept of a set."""
    [row] = dataset.rows(
        "SELECT count(*) AS takes, coalesce(sum(duration_s), 0) AS seconds, "
        "count(DISTINCT voice) AS voices, count(DISTINCT speaker_id) AS speakers, "
        "count(DISTINCT source_id) AS sources FROM kept"
    )
    return Kept(**row)


def voices(dataset: DatasetFolder, kept: int) -> Voices:
    """Count the voices of a set, of which `kept` kept a take."""
    judged = int(dataset.value("SELECT count(DISTINCT voice) FROM takes"))
    return Voices(tables.VOICES, judged, judged - kept)
