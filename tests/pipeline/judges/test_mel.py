"""Mel spectra equal librosa's."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.judges.mel import HOP, MelSpectrum


@pytest.mark.parametrize(("fft", "bands"), [(321, 120), (400, 40)])
@pytest.mark.parametrize("length", [400, 16_000, 16_123])
def test_power_is_that_of_librosa(fft, bands, length):
    from librosa.feature import melspectrogram

    samples = np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)
    theirs = melspectrogram(y=samples, sr=16_000, n_fft=fft, hop_length=HOP, n_mels=bands).T
    ours = MelSpectrum(fft, bands)(samples)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
