"""Spectrograms of a dataset folder: what it sounds like."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.cards.canvas import THIS_GATE, new_figure
from pipeline.dataset.reading import DatasetFolder
from pipeline.languages import language_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HIGHEST_HZ = 5_000
_FFT, _HOP = 512, 128
_FLOOR_DB = -60
_PITCH_HOP_S = 0.01
_F0_TICKS_HZ = (75, 150, 300, 600)
_TAKES_A_ROW = 4
_LONGEST_S = 30
"""Of a take that is drawn, from its start: hours of silence are a small file, whoever made it."""


def draw_takes(dataset: DatasetFolder) -> Figure | None:
    """Spectrogram and F0 of a kept take of each emotion, one language and, if it can be, voice."""
    takes = _one_of_each_emotion(dataset)
    if not takes:
        return None
    audio = dataset.audio([take["take_id"] for take in takes])
    columns = min(_TAKES_A_ROW, len(takes))
    rows = -(-len(takes) // columns)
    figure = new_figure(3.3 * columns, 0.6 + 2.5 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    longest_s = min(_LONGEST_S, max(take["duration_s"] for take in takes))
    for place, (axes, take) in enumerate(zip(grid.ravel(), takes, strict=False)):
        pitch = _spectrogram(axes, audio[take["take_id"]])
        axes.set_title(f"{take['emotion']}\n{take['voice']}", fontsize=10)
        axes.set_xlim(0, longest_s)
        if place % columns:
            axes.set_yticklabels([])
        if place % columns < columns - 1:
            pitch.set_yticklabels([])
        else:
            pitch.set_ylabel("F0 (Hz)", color=THIS_GATE)
    for axes in grid.ravel()[len(takes) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("Frequency (kHz)")
    language = language_name(takes[0]["language"])
    figure.suptitle(f"A kept {language} take of each emotion: spectrogram and F0 (orange)")
    return figure


def _one_of_each_emotion(dataset: DatasetFolder) -> list[dict[str, Any]]:
    """Kept takes of the language with most emotions, of its voice with most; ties by hash."""
    order = " ".join(f"WHEN '{code}' THEN {place}" for place, code in enumerate(dataset.languages))
    takes = dataset.rows(
        f"""
        WITH by_language AS (
            SELECT language FROM kept GROUP BY language
            ORDER BY language = 'en', count(DISTINCT emotion) DESC,
                CASE language {order} END LIMIT 1
        ), wanted AS (SELECT * FROM kept WHERE language = (SELECT language FROM by_language)),
        voices AS (SELECT voice, count(DISTINCT emotion) AS emotions FROM wanted GROUP BY voice)
        SELECT take_id, emotion, language, voice, duration_s FROM wanted JOIN voices USING (voice)
        QUALIFY row_number() OVER (
            PARTITION BY emotion ORDER BY emotions DESC, voice, md5(take_id)) = 1
        """  # noqa: S608 - language codes of the vocabulary
    )
    return sorted(takes, key=lambda take: dataset.emotions.index(take["emotion"]))


def _spectrogram(axes: Axes, flac: bytes) -> Axes:
    """Level by time and frequency (librosa) and, on axes of its own, F0 by Boersma's method."""
    import librosa
    import soundfile

    from pipeline.prosody.pitch import track_pitch

    with soundfile.SoundFile(io.BytesIO(flac)) as file:
        rate = file.samplerate
        samples = file.read(_LONGEST_S * rate, dtype="float32")
    power = np.abs(librosa.stft(samples, n_fft=_FFT, hop_length=_HOP)) ** 2
    level_db = librosa.power_to_db(power, ref=np.max, top_db=-_FLOOR_DB)
    top = int(_HIGHEST_HZ * _FFT / rate)
    end_s, end_khz = level_db.shape[1] * _HOP / rate, top * rate / _FFT / 1000
    axes.imshow(
        level_db[:top], origin="lower", aspect="auto", cmap="gray_r", vmin=_FLOOR_DB, vmax=0,
        extent=(0, end_s, 0, end_khz),
    )  # fmt: skip
    axes.set_yticks(range(0, _HIGHEST_HZ // 1000 + 1))
    axes.set_xlabel("Time (s)")
    f0_hz = track_pitch(samples, rate, _PITCH_HOP_S).f0_hz
    pitch = axes.twinx()
    times_s = np.arange(len(f0_hz)) * _PITCH_HOP_S
    pitch.plot(times_s, np.where(f0_hz > 0, f0_hz, np.nan), color=THIS_GATE, linewidth=2)
    pitch.set_yscale("log", base=2)
    pitch.set_ylim(_F0_TICKS_HZ[0] / 1.2, _F0_TICKS_HZ[-1] * 1.2)
    pitch.set_yticks(_F0_TICKS_HZ, [str(tick) for tick in _F0_TICKS_HZ], color=THIS_GATE)
    pitch.minorticks_off()
    return pitch
