"""Fundamental frequency and harmonicity by autocorrelation and a best path (Boersma 1993)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FLOOR_HZ, CEILING_HZ = 65.0, 650.0

_CANDIDATES = 7
_VOICING_THRESHOLD = 0.45
_SILENCE_THRESHOLD = 0.063075
_OCTAVE_COST = 0.02
_OCTAVE_JUMP_COST = 0.5
_VOICED_UNVOICED_COST = 0.14
_LOWEST, _HIGHEST = 0.72, 1.9
"""Boersma (1993), section 3 and table 1; the octave costs are raised (assumed) against creak, and
the silence threshold is twice his 0.03 (assumed): breath and room noise stay unvoiced.
De Looze and Hirst (2008): 0.75 of the first and 1.5 of the third quartile; widened (assumed)."""

_CREAK_STRENGTH, _CREAK_S = 0.7, 0.15
"""Below the speaker's own range a pitch this periodic for this long is a creaky voice, and no error
of an octave (assumed)."""


@dataclass(frozen=True)
class Pitch:
    """F0 a frame, in Hz, 0 where unvoiced [F], and autocorrelation at that period, 0 to 1 [F].

    `creak_hz`: F0 of a creaky voice, which `f0_hz` leaves out, 0 elsewhere [F].
    """

    f0_hz: np.ndarray
    strength: np.ndarray
    creak_hz: np.ndarray


def track_pitch(samples: np.ndarray, sampling_rate: int, hop_s: float) -> Pitch:
    """F0 of samples [T]; frame i is centred at i * hop_s, F = floor(T / rate / hop_s) + 1.

    The path is sought twice: the second time within the speaker's own range, which removes most
    octave errors and creak (De Looze and Hirst 2008, quartiles of the first pass); creak that lasts
    is told apart.
    """
    lags, strengths, loudness = _candidates(samples, sampling_rate, hop_s)
    f0_hz = np.where(lags > 0, sampling_rate / np.maximum(lags, 1e-9), 0.0)
    scores = _scores(f0_hz, strengths, loudness)
    rows = np.arange(len(f0_hz))
    free = _best_path(f0_hz, scores, hop_s)
    first = f0_hz[rows, free]
    low, high = np.percentile(first[first > 0], [25, 75]) if np.any(first > 0) else (0.0, np.inf)
    outside = (f0_hz > 0) & ((f0_hz < _LOWEST * low) | (f0_hz > _HIGHEST * high))
    scores[outside] = -np.inf
    path = _best_path(f0_hz, scores, hop_s)
    voiced = _in_runs(f0_hz[rows, path] > 0, 3)
    periodic = (first > 0) & (first < _LOWEST * low) & (strengths[rows, free] > _CREAK_STRENGTH)
    creaky = _in_runs(periodic & ~voiced, round(_CREAK_S / hop_s))
    return Pitch(
        np.where(voiced, f0_hz[rows, path], 0.0),
        np.where(voiced, strengths[rows, path], 0.0),
        np.where(creaky, first, 0.0),
    )


def _in_runs(where: np.ndarray, least: int) -> np.ndarray:
    """Frames [F] that are true, but for runs of fewer than `least`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], where.astype(int), [0]])))
    kept = where.copy()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        kept[start:end] = end - start >= least
    return kept


def _candidates(
    samples: np.ndarray, rate: int, hop_s: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lags [F, C] in samples (column 0 is "unvoiced", lag 0), strengths [F, C], loudness [F]."""
    width = int(3 * rate / FLOOR_HZ) // 2 * 2
    frames = frame(samples, width, rate * hop_s)
    peaks = np.abs(frames).max(axis=1)
    loudness = peaks / max(float(np.abs(samples).max()), 1e-9)
    correlation = _autocorrelation(frames - frames.mean(axis=1, keepdims=True), rate)
    first = int(rate / CEILING_HZ)
    inner = correlation[:, first : int(rate / FLOOR_HZ) + 2]
    is_peak = (inner[:, 1:-1] > inner[:, :-2]) & (inner[:, 1:-1] >= inner[:, 2:])
    lag_grid = np.arange(first + 1, first + 1 + is_peak.shape[1])
    ranked = np.where(
        is_peak & (inner[:, 1:-1] > 0.5 * _VOICING_THRESHOLD),
        inner[:, 1:-1] - _OCTAVE_COST * np.log2(FLOOR_HZ * lag_grid / rate),
        -np.inf,
    )
    best = np.argpartition(-ranked, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    rows = np.arange(len(frames))[:, None]
    lags, strengths = _refine(inner, best + 1, first)
    missing = np.isneginf(ranked[rows, best])
    unvoiced = np.zeros((len(frames), 1))
    return (
        np.hstack([unvoiced, np.where(missing, 0.0, lags)]),
        np.hstack([unvoiced, np.where(missing, -1.0, np.minimum(strengths, 1.0))]),
        loudness,
    )


def frame(samples: np.ndarray, width: int, hop: float) -> np.ndarray:
    """Frames [F, width] centred at multiples of `hop` samples (zeros beyond the ends)."""
    padded = np.pad(samples.astype(np.float64), (width // 2, width))
    starts = np.round(np.arange(int(len(samples) / hop) + 1) * hop).astype(int)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width)[starts])


def _autocorrelation(frames: np.ndarray, rate: int) -> np.ndarray:
    """Autocorrelation of Hann-windowed frames, over that of the window: Boersma (1993), eq. 9."""
    width = frames.shape[1]
    window = np.hanning(width)
    size = 1 << (width + int(rate / FLOOR_HZ)).bit_length()
    lags = int(rate / FLOOR_HZ) + 3
    power = np.abs(np.fft.rfft(frames * window, size)) ** 2
    correlation = np.fft.irfft(power)[:, :lags]
    of_window = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)[:lags]
    scaled = correlation / np.maximum(correlation[:, :1], 1e-12)
    return np.asarray(scaled / (of_window / of_window[0]))


def _refine(inner: np.ndarray, index: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Lag and height of peaks by a parabola through three points."""
    rows = np.arange(len(inner))[:, None]
    left, middle, right = (inner[rows, index + step] for step in (-1, 0, 1))
    bend = 2 * middle - left - right
    shift = np.where(bend > 1e-12, 0.5 * (right - left) / np.maximum(bend, 1e-12), 0.0)
    shift = np.clip(shift, -0.5, 0.5)
    return first + index + shift, middle + 0.25 * (right - left) * shift


def _scores(f0_hz: np.ndarray, strengths: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """Local scores [F, C] of the candidates: Boersma (1993), eq. 23 and 24."""
    quiet = 2 - loudness / (_SILENCE_THRESHOLD / (1 + _VOICING_THRESHOLD))
    unvoiced = _VOICING_THRESHOLD + np.maximum(0.0, quiet)
    voiced = strengths + _OCTAVE_COST * np.log2(np.maximum(f0_hz, 1e-9) / FLOOR_HZ)
    scores = np.where(f0_hz > 0, voiced, -np.inf)
    scores[:, 0] = unvoiced
    return scores


def _best_path(f0_hz: np.ndarray, scores: np.ndarray, hop_s: float) -> np.ndarray:
    """Candidate of each frame [F] on the path with the best sum: Boersma (1993), eq. 26 to 28."""
    costs = _transition_costs(f0_hz, hop_s)
    total = scores[0]
    back = np.zeros(f0_hz.shape, dtype=np.intp)
    columns = np.arange(f0_hz.shape[1])
    for i in range(1, len(f0_hz)):
        options = total[:, None] - costs[i - 1]
        back[i] = options.argmax(axis=0)
        total = options[back[i], columns] + scores[i]
    path = np.empty(len(f0_hz), dtype=np.intp)
    path[-1] = total.argmax()
    for i in range(len(f0_hz) - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path


def _transition_costs(f0_hz: np.ndarray, hop_s: float) -> np.ndarray:
    """Cost of each step from a candidate to one of the next frame [F - 1, C, C]."""
    voiced = f0_hz > 0
    log_f0 = np.log2(np.where(voiced, f0_hz, 1.0))
    before, after = voiced[:-1, :, None], voiced[1:, None, :]
    jump = _OCTAVE_JUMP_COST * np.abs(log_f0[:-1, :, None] - log_f0[1:, None, :])
    change = np.where(before != after, _VOICED_UNVOICED_COST, 0.0)
    return np.asarray(0.01 / hop_s * np.where(before & after, jump, change))
