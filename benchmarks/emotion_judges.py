"""Judges of emotion fitted on human speech: eGeMAPS functionals, an SVM, four emotions.

opensmile's licence allows research only, so it is no dependency: install it by hand to use this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from pipeline.prosody.frames import RATE
from pipeline.prosody.profile import to_rate

EMOTIONS = ("angry", "happy", "neutral", "sad")

_NEMO = {"anger": "angry", "happiness": "happy", "neutral": "neutral", "sadness": "sad"}
_FOLDS = 8


@dataclass(frozen=True)
class Judged:
    """Features [N, 88] of clips, z-scored by speaker, and their emotions and speakers [N]."""

    features: np.ndarray
    emotions: np.ndarray
    speakers: np.ndarray

    @classmethod
    def of(
        cls, clips: Sequence[np.ndarray], emotions: Sequence[str], speakers: Sequence[str]
    ) -> Judged:
        """Measure clips, float32 [T] at 16 kHz each."""
        features = np.stack([_functionals(clip) for clip in clips])
        who = np.array(speakers)
        for speaker in set(speakers):
            own = features[who == speaker]
            features[who == speaker] = (own - own.mean(axis=0)) / (own.std(axis=0) + 1e-9)
        return cls(np.clip(features, -5, 5), np.array(emotions), who)


class MissingOpensmile(ImportError):
    """The measuring tool is not installed."""

    def __init__(self) -> None:
        super().__init__("the judges need opensmile (research licence): pip install opensmile")


def _functionals(clip: np.ndarray) -> np.ndarray:
    return np.asarray(_smile().process_signal(clip, RATE).to_numpy()[0], dtype=np.float64)


def _smile() -> Any:
    try:
        import opensmile
    except ImportError as error:
        raise MissingOpensmile from error
    return opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)


def nemo(folder: Path, prepare: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Judged:
    """The clips of nEMO (Christop 2024, Polish) of the four emotions below a folder, prepared."""
    named = [(path, *path.stem.split("_")) for path in sorted(folder.rglob("*_*_*.wav"))]
    chosen = [(path, speaker, emotion) for path, speaker, emotion, _ in named if emotion in _NEMO]
    if not chosen:
        raise FileNotFoundError(f"{folder} holds no clip named like EB0_anger_12.wav")
    clips = [prepare(_read(path)) for path, _, _ in chosen]
    emotions = [_NEMO[emotion] for _, _, emotion in chosen]
    return Judged.of(clips, emotions, [speaker for _, speaker, _ in chosen])


def _read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(to_rate(samples.mean(axis=1), rate), dtype=np.float32)


def uar_of_others(judge: Judged, judged: Judged) -> float:
    """UAR of a judge fitted on the clips of other speakers in another language."""
    return _uar(judged.emotions, _fit(judge.features, judge.emotions).predict(judged.features))


def uar_by_speaker(human: Judged, judged: Judged) -> float:
    """UAR on clips (rows as in `human`) of judges fitted on the human clips of other speakers."""
    called = np.empty(len(judged.emotions), dtype=object)
    folds = {speaker: at % _FOLDS for at, speaker in enumerate(sorted(set(human.speakers)))}
    fold = np.array([folds[speaker] for speaker in human.speakers])
    for held_out in range(_FOLDS):
        seen, unseen = fold != held_out, fold == held_out
        judge = _fit(human.features[seen], human.emotions[seen])
        called[unseen] = judge.predict(judged.features[unseen])
    return _uar(judged.emotions, called)


def _fit(features: np.ndarray, emotions: np.ndarray) -> Any:
    return make_pipeline(StandardScaler(), SVC(C=1.0, class_weight="balanced")).fit(
        features, emotions
    )


def _uar(emotions: np.ndarray, called: np.ndarray) -> float:
    """Unweighted average recall."""
    return float(np.mean([np.mean(called[emotions == one] == one) for one in EMOTIONS]))
