"""How each emotion changes neutral speech, after the published acoustic profiles.

The papers were read in summaries and quotations by others, not in print.

Directions: Murray and Arnott 1993 (JASA 93), Table I: F0 level and range, rate, loudness, voice and
inflection of anger, happiness, sadness, fear, disgust. Juslin and Laukka 2003 (Psychological
Bulletin 129), Table 11: happiness is fast; sadness has less high-frequency energy and varies less
in loudness. Kamiloglu et al. 2020: happiness varies in loudness. Banse and Scherer 1996, as in
Table 1 of Larrouy-Maestri et al. 2024: anger is bright; the F0 of panic fear fluctuates little
(Murray and Arnott: much). Cahn 1990, as in Table 1 of Schroeder 2001 (Eurospeech): surprise is
wide, fast, loud and rises steeply; sadness is breathy and pauses.

Amounts: measured on RAVDESS (Livingstone and Russo 2018; 24 actors, 96 neutral clips, and of six
emotions 576 clips of normal and 576 of strong intensity), each the median over the actors of their
mean change from their own neutral clips. `python -m benchmarks.human_profiles --corpus DIR` prints
them, with those of nEMO (Christop 2024; 9 Polish actors, 4 481 clips). Anger, fear, happiness and
surprise are of both intensities; sadness and disgust of the normal one: in the strong one both grow
louder and higher, against all papers (Banse and Scherer 1996 call such sadness despair).

So measured are the F0 level and energy of anger, fear, happiness and surprise; the rate of disgust;
the energy of sadness; F0 range, but for happiness, which is at the upper end of RAVDESS's +5 % and
nEMO's +36 %; aperiodicity, and how loudness varies, of all but sadness. The rate of anger, fear,
happiness and surprise is nEMO's: in RAVDESS, against the papers, anger is 15 % slower than neutral.
The rate of sadness and the voiced share are means of both corpora. What spectrum and intonation do
has its own module, `curves`.

Assumed is the rest: where actors contradict the papers, whose direction stays (aperiodicity and
loudness range of sadness), or show too little to measure (F0 level and energy of disgust; F0 level
of sadness), and pauses, which single sentences lack.

The published amounts are of single synthetic voices (Schroeder 2001, Table 1): joy F0 +50 % (7 st),
range +100 %, tempo +30 % and fear F0 +150 % (16 st), range +20 %, tempo +30 % (Burkhardt and
Sendlmeier 2000); anger F0 +10 Hz, range +9 st, tempo +30 words a minute, loudness +6 dB (Murray and
Arnott 1995); Cahn's have no units.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.emotions import Emotion


@dataclass(frozen=True)
class Change:
    """Differences from neutral, as in `Target`."""

    f0_level_st: float = 0.0
    f0_range_ratio: float = 1.0
    energy_db: float = 0.0
    energy_range_ratio: float = 1.0
    rate_ratio: float = 1.0
    pause_share: float = 0.0
    aperiodicity_db: float = 0.0
    voiced_share: float = 0.0


CHANGES: dict[Emotion, Change] = {
    "angry": Change(
        f0_level_st=7.9,
        f0_range_ratio=1.15,
        energy_db=16.6,
        energy_range_ratio=1.1,
        rate_ratio=1.08,
        aperiodicity_db=2.0,
        voiced_share=-0.03,
    ),
    "disgusted": Change(
        f0_level_st=-1.2,
        f0_range_ratio=1.1,
        energy_db=-1.0,
        energy_range_ratio=1.05,
        rate_ratio=0.85,
        pause_share=0.03,
        aperiodicity_db=1.2,
        voiced_share=-0.13,
    ),
    "fearful": Change(
        f0_level_st=8.5,
        f0_range_ratio=0.9,
        energy_db=13.2,
        energy_range_ratio=1.1,
        rate_ratio=1.01,
        aperiodicity_db=0.5,
        voiced_share=-0.02,
    ),
    "happy": Change(
        f0_level_st=6.4,
        f0_range_ratio=1.4,
        energy_db=9.2,
        energy_range_ratio=1.05,
        rate_ratio=1.05,
        aperiodicity_db=0.7,
        voiced_share=0.02,
    ),
    "neutral": Change(),
    "sad": Change(
        f0_level_st=-0.8,
        f0_range_ratio=0.8,
        energy_db=-2.7,
        energy_range_ratio=0.95,
        rate_ratio=0.88,
        pause_share=0.05,
        aperiodicity_db=0.8,
        voiced_share=-0.05,
    ),
    "surprised": Change(
        f0_level_st=5.7,
        f0_range_ratio=1.55,
        energy_db=8.1,
        rate_ratio=1.04,
        aperiodicity_db=2.4,
        voiced_share=-0.03,
    ),
}

VARIATION: dict[str, float] = {
    "f0_level_st": 0.8,
    "f0_range_ratio": 0.12,
    "energy_db": 1.2,
    "energy_range_ratio": 0.05,
    "rate_ratio": 0.06,
    "pause_share": 0.01,
    "aperiodicity_db": 0.5,
    "voiced_share": 0.02,
}
"""Standard deviation between speakers, ratios as natural logarithms: a fifth to two fifths of that
of actors in one emotion (assumed), so that emotions stay apart."""

TILT_SD_DB_OCT, SLOPE_SD_ST = 0.25, 0.7
"""The same of the spectrum's slope, and of the end of F0 minus its start, in semitones."""
