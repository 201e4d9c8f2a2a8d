"""How each emotion changes neutral speech, after the published acoustic profiles.

Directions: Juslin and Laukka 2003 (Psychological Bulletin 129), Table 11: anger, fear, happiness,
sadness by rate, intensity and its variability, high-frequency energy, F0 level, variability and
contour, and microstructural regularity. Murray and Arnott 1993 (JASA 93), Table 1, for disgust:
very much slower, very much lower, slightly wider, lower intensity, grumbled. Scherer 2003 (Speech
Communication 40), Table 1, agrees on intensity, F0, rate and high-frequency energy.

Amounts: from the synthesis rules that listeners recognised, Schroeder 2001 (Eurospeech), Table 2:
joy F0 mean +50 %, range +100 %, tempo +30 % (Burkhardt and Sendlmeier 2000); fear F0 mean +150 %,
range +20 %, tempo +30 % (the same); anger F0 mean +10 Hz, range +9 st, tempo +30 words/min,
loudness +6 dB (Murray and Arnott 1995); surprise range up, tempo up, steeply rising contour (Cahn
1990); sadness tempo down, loudness down, breathy, dark (Cahn 1990). Amounts that no rule gives in
these units (tilt, aperiodicity, jitter, pauses, contour slopes; all amounts of disgust, sadness and
surprise) are assumed, with the published sign. Fear's F0 is halved (assumed): +150 % is falsetto.
Table numbers and amounts were written down without the papers at hand: check before citing them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.emotions import Emotion


@dataclass(frozen=True)
class Change:
    """Differences from neutral, as in `Target`; `f0_slope_st` is end minus start of the phrase."""

    f0_level_st: float = 0.0
    f0_range_ratio: float = 1.0
    f0_slope_st: float = 0.0
    energy_db: float = 0.0
    energy_range_ratio: float = 1.0
    rate_ratio: float = 1.0
    pause_share: float = 0.0
    tilt_db_oct: float = 0.0
    aperiodicity_db: float = 0.0
    jitter_st: float = 0.0


CHANGES: dict[Emotion, Change] = {
    "angry": Change(
        f0_level_st=4.0,
        f0_range_ratio=1.9,
        f0_slope_st=1.0,
        energy_db=9.0,
        energy_range_ratio=1.15,
        rate_ratio=1.15,
        tilt_db_oct=1.8,
        aperiodicity_db=1.0,
        jitter_st=0.05,
    ),
    "disgusted": Change(
        f0_level_st=-1.5,
        f0_range_ratio=1.15,
        f0_slope_st=-1.5,
        energy_db=-1.5,
        rate_ratio=0.78,
        pause_share=0.03,
        tilt_db_oct=-0.3,
        aperiodicity_db=2.0,
        jitter_st=0.05,
    ),
    "fearful": Change(
        f0_level_st=8.0,
        f0_range_ratio=1.2,
        f0_slope_st=1.5,
        energy_db=2.0,
        energy_range_ratio=1.1,
        rate_ratio=1.3,
        tilt_db_oct=-0.4,
        aperiodicity_db=1.0,
        jitter_st=0.1,
    ),
    "happy": Change(
        f0_level_st=7.0,
        f0_range_ratio=2.0,
        f0_slope_st=1.5,
        energy_db=5.0,
        energy_range_ratio=1.1,
        rate_ratio=1.15,
        tilt_db_oct=0.8,
        aperiodicity_db=-1.0,
    ),
    "neutral": Change(),
    "sad": Change(
        f0_level_st=-1.0,
        f0_range_ratio=0.75,
        f0_slope_st=-1.0,
        energy_db=-6.0,
        energy_range_ratio=0.9,
        rate_ratio=0.8,
        pause_share=0.05,
        tilt_db_oct=-1.5,
        aperiodicity_db=2.5,
        jitter_st=0.03,
    ),
    "surprised": Change(
        f0_level_st=6.0,
        f0_range_ratio=2.2,
        f0_slope_st=5.0,
        energy_db=4.0,
        energy_range_ratio=1.1,
        rate_ratio=1.1,
        tilt_db_oct=0.5,
    ),
}

VARIATION: dict[str, float] = {
    "f0_level_st": 0.8,
    "f0_range_ratio": 0.12,
    "f0_slope_st": 0.7,
    "energy_db": 1.2,
    "energy_range_ratio": 0.05,
    "rate_ratio": 0.06,
    "pause_share": 0.01,
    "tilt_db_oct": 0.25,
    "aperiodicity_db": 0.5,
    "jitter_st": 0.01,
}
"""Standard deviation between speakers, ratios as natural logarithms (assumed)."""
