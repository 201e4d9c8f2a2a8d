"""Mel spectra as librosa makes them, without its compilation at the first call."""

from __future__ import annotations

import numpy as np

from pipeline.judges.base import JUDGE_RATE_HZ

HOP = 160
"""10 ms, the hop of both networks that read these spectra."""


class MelSpectrum:
    """Power mel spectra equal to `librosa.feature.melspectrogram`'s defaults (Slaney's scale).

    librosa compiles its spectrogram with numba at the first call (40 s were seen in a fresh
    installation); its filter bank, which is borrowed here, needs no compilation.
    """

    def __init__(self, fft: int, bands: int) -> None:
        """Prepare for frames of `fft` samples and `bands` bands from 0 to 8 kHz."""
        from librosa.filters import mel
        from scipy.signal import get_window

        self._window = get_window("hann", fft).astype(np.float32)
        self._filters = mel(sr=JUDGE_RATE_HZ, n_fft=fft, n_mels=bands).T.astype(np.float32)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Samples float32 [T] -> power [1 + (T + 2 * (fft // 2) - fft) // HOP, bands], float32."""
        from scipy.fft import rfft

        fft = len(self._window)
        padded = np.pad(samples.astype(np.float32), fft // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, fft)[::HOP]
        spectrum = rfft(frames * self._window, axis=1)
        power: np.ndarray = np.square(np.abs(spectrum)) @ self._filters
        return power
