"""What an emotion does to the spectrum and the intonation of neutral speech, as people do it.

`curves.tsv` holds means of measurements, no part of any recording; `python -m
benchmarks.human_profiles --corpus DIR --nemo DIR --write` makes it from two whole corpora, RAVDESS
(Livingstone and Russo 2018: 24 actors, English, 1 248 clips without its calm ones) and nEMO
(Christop 2024: 9 actors, Polish, 4 481 clips of 90 sentences). Each number is the median over the
actors of their mean change from their own neutral clips, then the mean of the two corpora, of which
nEMO has no disgust. The intensities are those of `published.CHANGES`.

The intonation is nEMO's alone, as RAVDESS has two sentences that end alike; so disgust's is as
neutral. What papers say of it (Murray and Arnott 1993, Table I; Cahn 1990, as in Table 1 of
Schroeder 2001): surprise rises, or glides up and falls; sadness falls less at the end than neutral
speech. Both hold in nEMO. Happiness goes up and fear is as neutral in the papers; in nEMO happiness
falls and fear rises, and these are followed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files

from pipeline.emotions import EMOTIONS, Emotion
from pipeline.prosody.frames import BANDS
from pipeline.prosody.profile import POINTS

FILE = "curves.tsv"


@dataclass(frozen=True)
class Curves:
    """Differences from neutral, as in `Target`: [POINTS], [BANDS] and [BANDS]."""

    f0_contour_st: tuple[float, ...] = (0.0,) * POINTS
    voiced_bands_db: tuple[float, ...] = (0.0,) * BANDS
    unvoiced_bands_db: tuple[float, ...] = (0.0,) * BANDS


NAMES: tuple[str, ...] = tuple(field.name for field in fields(Curves))


@lru_cache(maxsize=1)
def curves() -> dict[Emotion, Curves]:
    """The curves of every emotion; those that the file lacks are as neutral."""
    text = files("pipeline.prosody").joinpath(FILE).read_text(encoding="utf-8")
    found: dict[str, dict[str, tuple[float, ...]]] = {emotion: {} for emotion in EMOTIONS}
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        found[row["emotion"]][row["curve"]] = tuple(float(one) for one in row["values"].split())
    return {emotion: Curves(**found[emotion]) for emotion in EMOTIONS}
