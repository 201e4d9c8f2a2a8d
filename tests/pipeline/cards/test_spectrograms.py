"""What a picture of takes costs, whoever made the clips."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import soundfile

from pipeline.cards.canvas import new_figure
from pipeline.cards.spectrograms import _spectrogram

RATE = 16_000


def test_half_a_minute_of_a_take_is_drawn() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(600 * RATE, np.int16), RATE, format="FLAC")
    axes = new_figure(3, 3).subplots()
    tracemalloc.start()
    try:
        _spectrogram(axes, file.getvalue())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert axes.get_images()[0].get_extent()[1] < 31
    assert peak < 150_000_000, "of ten minutes it is more than a gigabyte"
