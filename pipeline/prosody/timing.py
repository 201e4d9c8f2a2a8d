"""Rate and pauses: which frame of a rendition each frame of a take is taken from."""

from __future__ import annotations

import numpy as np

from pipeline.prosody.frames import Frames

END_S = 0.06
"""Rest before and after the speech of every take, in seconds."""

PAUSE_S = 0.15
"""Shorter silences belong to the sounds around them, as stops do (assumed; pauses of 0.18 s and
more are counted by Heldner and Edlund 2010)."""

_MAX_PAUSE_SHARE = 0.4
_MAX_STRETCH = 2.5
"""Most that voiced or unvoiced sounds are stretched or shortened for each other (assumed)."""


def pauses(active: np.ndarray, hop_s: float) -> np.ndarray:
    """Frames [F] of pauses between the first and the last active frame."""
    inside = np.flatnonzero(active)
    paused = np.zeros(len(active), dtype=bool)
    edges = np.flatnonzero(np.diff(active[inside[0] : inside[-1] + 1].astype(int))) + 1
    for start, end in zip(edges[::2] + inside[0], edges[1::2] + inside[0], strict=True):
        paused[start:end] = (end - start) * hop_s >= PAUSE_S
    return paused


def time_map(
    frames: Frames, rate_ratio: float, more_pause: float, more_voiced: float
) -> tuple[np.ndarray, np.ndarray]:
    """Position in the rendition of each frame of a take [F], in frames, and where it is silent [F].

    Speech is made `rate_ratio` times faster (0.5 to 2), the share of pauses grows by `more_pause`
    (pauses that are there are stretched; else one is put at the quietest place), and the voiced
    share of the speech by `more_voiced`, at the cost of unvoiced sounds.
    """
    ratio = float(np.clip(rate_ratio, 0.5, 2.0))
    inner = np.arange(frames.first, frames.last + 1)
    paused = pauses(frames.active, frames.hop_s)[inner]
    steps = np.ones(len(inner))
    steps[~paused] = _lengths(frames.f0_hz[inner[~paused]] > 0, more_voiced) / ratio
    share = float(np.clip(paused.mean() + more_pause, 0.0, _MAX_PAUSE_SHARE))
    wanted = steps[~paused].sum() * share / (1 - share)
    if paused.any():
        steps[paused] = max(1.0, wanted) / paused.sum()
    elif wanted * frames.hop_s >= PAUSE_S:
        quietest = _quietest(frames)
        steps[quietest] += wanted
        paused[quietest] = True
    ends = np.cumsum(steps)
    times = np.arange(max(2, round(ends[-1]))) + 0.5
    step = np.minimum(np.searchsorted(ends, times, side="right"), len(inner) - 1)
    within = np.clip((times - ends[step]) / steps[step] + 0.5, -0.5, 0.5)
    at = inner[step] + np.where(paused[step], 0.0, within)
    return _with_ends(np.clip(at, frames.first, frames.last), paused[step], frames)


def _lengths(voiced: np.ndarray, more_voiced: float) -> np.ndarray:
    """Lengths of speech frames [S], one on average, that raise the share of the voiced ones [S]."""
    share = float(voiced.mean())
    if share in (0.0, 1.0):
        return np.ones(len(voiced))
    wanted = share + more_voiced
    lengths = np.where(voiced, wanted / share, (1 - wanted) / (1 - share))
    lengths = np.clip(lengths, 1 / _MAX_STRETCH, _MAX_STRETCH)
    return np.asarray(lengths / lengths.mean())


def _quietest(frames: Frames) -> int:
    """Offset of the quietest frame in the middle half of the speech."""
    length = frames.last - frames.first + 1
    energy_db = frames.energy_db[frames.first : frames.last + 1]
    quarter = length // 4
    return quarter + int(np.argmin(energy_db[quarter : length - quarter]))


def _with_ends(at: np.ndarray, silent: np.ndarray, frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """A take's frames with the rest around them: the rendition's own, and silence beyond it."""
    margin, end = round(END_S / frames.hop_s), len(frames.active) - 1
    before = frames.first - np.arange(margin, 0, -1)
    after = frames.last + np.arange(1, margin + 1)
    return (
        np.concatenate([np.maximum(before, 0), at, np.minimum(after, end)]),
        np.concatenate([before < 0, silent, after > end]),
    )
