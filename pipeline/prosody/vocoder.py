"""Speech from pitch, spectrum and aperiodicity: WORLD's synthesis, all frames at once.

As in WORLD (Morise, Yokomori and Ozawa 2016, section 2.4): pulses and noise through minimum-phase
filters. A minimum-phase filter is a product of minimum-phase filters, so the filters of a rendition
are made once, and a take multiplies them with those of its change of colour.
"""

from __future__ import annotations

import numpy as np

from pipeline.prosody.frames import FFT, RATE

_BLOCK = 256
"""Frames at a time: keeps the memory of a long clip small."""


def minimum_phase(envelope: np.ndarray) -> np.ndarray:
    """Minimum-phase spectra, complex64 [F, FFT / 2 + 1], of power spectra of that shape."""
    spectra = np.empty(envelope.shape, dtype=np.complex64)
    fold = np.zeros(FFT, dtype=np.float32)
    fold[0] = fold[FFT // 2] = 1.0
    fold[1 : FFT // 2] = 2.0
    for start in range(0, len(envelope), _BLOCK):
        block = slice(start, start + _BLOCK)
        log_magnitude = (0.5 * np.log(envelope[block] + 1e-20)).astype(np.float32)
        cepstrum = np.fft.irfft(log_magnitude, FFT).astype(np.float32)
        spectra[block] = np.exp(np.fft.rfft(cepstrum * fold).astype(np.complex64))
    return spectra


def synthesize(
    f0_hz: np.ndarray,
    spectra: np.ndarray,
    aperiodicity: np.ndarray,
    hop_s: float,
    random: np.random.Generator,
) -> np.ndarray:
    """Waveform [T], T = F * hop, of frames [F].

    Args:
        f0_hz: F0 of each frame [F], 0 where unvoiced.
        spectra: Minimum-phase spectra [F, FFT / 2 + 1].
        aperiodicity: Amplitude share of the noise in voiced frames [FFT / 2 + 1].
        hop_s: Time between frames.
        random: What the noise is drawn from.
    """
    hop = round(hop_s * RATE)
    samples = np.zeros(len(f0_hz) * hop + FFT)
    harmonic = np.sqrt(1 - aperiodicity**2).astype(np.float32)
    bins = np.arange(FFT // 2 + 1, dtype=np.float32)
    starts, delays, sizes = _pulses(f0_hz, hop)
    for block in _blocks(len(starts)):
        index = np.minimum(starts[block] // hop, len(f0_hz) - 1)
        shift = np.exp(np.complex64(-2j * np.pi / FFT) * np.outer(delays[block], bins))
        pulses = spectra[index] * shift * np.outer(sizes[block], harmonic)
        _overlap_add(samples, np.fft.irfft(pulses, FFT), starts[block])
    noise = random.standard_normal((len(f0_hz), hop)).astype(np.float32)
    voiced = (f0_hz > 0)[:, None]
    for block in _blocks(len(f0_hz)):
        share = np.where(voiced[block], aperiodicity.astype(np.float32), np.float32(1.0))
        hiss = np.fft.rfft(noise[block], FFT).astype(np.complex64) * spectra[block] * share
        at = np.arange(len(f0_hz))[block] * hop
        _overlap_add(samples, np.fft.irfft(hiss, FFT), at)
    return samples[: len(f0_hz) * hop]


def _blocks(count: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK)]


def _pulses(f0_hz: np.ndarray, hop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start (sample), delay (fraction of a sample) and size of each glottal pulse [N]."""
    at = np.arange(len(f0_hz) * hop) / hop
    known = np.flatnonzero(f0_hz > 0)
    if len(known) == 0:
        return np.zeros(0, dtype=int), np.zeros(0), np.zeros(0, dtype=np.float32)
    smooth_hz = np.interp(at, known, f0_hz[known])
    turns = np.cumsum(smooth_hz / RATE)
    starts = np.flatnonzero(np.diff(np.floor(turns)) > 0)
    delays = (np.ceil(turns[starts]) - turns[starts]) / (turns[starts + 1] - turns[starts])
    voiced = (f0_hz > 0)[np.minimum((at[starts] + 0.5).astype(int), len(f0_hz) - 1)]
    starts, delays = starts[voiced], delays[voiced]
    return starts, delays.astype(np.float32), np.sqrt(RATE / smooth_hz[starts]).astype(np.float32)


def _overlap_add(samples: np.ndarray, pieces: np.ndarray, starts: np.ndarray) -> None:
    for piece, start in zip(pieces, starts, strict=True):
        samples[start : start + FFT] += piece
