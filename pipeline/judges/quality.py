"""How a take sounds to a listener: the four opinion scores of DNSMOS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.metadata import distributions
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from pipeline.judges.base import (
    JUDGE_RATE_HZ,
    Judge,
    JudgeBatch,
    JudgeContext,
    JudgeItem,
    Measured,
    Scores,
)
from pipeline.judges.bundled import on_gpu, open_onnx, package_folder
from pipeline.judges.mel import HOP, MelSpectrum
from pipeline.judges.usable import usable_only
from pipeline.needs import CLIP_S, Price
from pipeline.pretrained.batching import halving
from pipeline.pretrained.devices import Device
from pipeline.records import Failure

_PACKAGE = "speechmos==0.0.1.1"
_ONNX_ON_GPUS = "onnxruntime-gpu"
_WINDOW_S = 9.01
_WINDOW = 144_160
_WORK_S, _CHEAP_WORK_S = 0.5, 0.02
"""Of one core for a window of the P.835 network, and of the P.808 one."""
_DYNAMIC_RANGE_DB = 80.0
_P835 = {
    "dnsmos_sig": "how the voice sounds, 1 to 5 (DNSMOS P.835)",
    "dnsmos_bak": "how little is heard behind it, 1 to 5 (DNSMOS P.835)",
    "dnsmos_ovrl": "how it sounds on the whole, 1 to 5 (DNSMOS P.835)",
}
_P808 = {"dnsmos_p808": "how it sounds on the whole, 1 to 5 (DNSMOS P.808)"}

_SIG = (-0.08397278, 1.22083953, 0.0052439)
_BAK = (-0.13166888, 1.60915514, -0.39604546)
_OVRL = (-0.06766283, 1.11546468, 0.04602535)
"""Polynomials from the network's scale to listeners' (speechmos 0.0.1.1, `get_polyfit_val`)."""


class Quality(Judge):
    """DNSMOS opinion scores from 1 to 5, equal to the speechmos package's.

    https://github.com/microsoft/DNS-Challenge, MIT; which languages were rated is not stated.
    `dnsmos_sig`, `dnsmos_bak`, `dnsmos_ovrl` (signal, background, overall; Reddy et al. 2022,
    "DNSMOS P.835") and `dnsmos_p808` (overall; Reddy et al. 2021, "DNSMOS"). A clip is doubled
    until it fills 9.01 s and heard in windows every second; the score is their mean. Trained on
    noisy and denoised speech, not on synthetic: it hears noise and artefacts, not naturalness, and
    marks shouted and crying speech down.

    A window of the P.835 network costs 37 GFLOP (0.5 s on one CPU core, and a 3 s clip has three);
    one of the P.808 network and its spectrum, 20 ms. On a GPU the windows of all clips run in
    batches; on a CPU one by one, where batches were measured to be no faster. Each window in flight
    takes 150 MB; where they don't fit, half as many run at a time.
    """

    engine: Literal["quality"] = "quality"
    version: ClassVar[int] = 2
    checks: ClassVar[str] = (
        "sound quality as DNSMOS estimates it, a model of what listeners said of noisy and "
        "denoised speech"
    )
    measures: ClassVar[frozenset[Measured]] = frozenset({"quality"})
    wheels: ClassVar[tuple[str, ...]] = ("speechmos",)
    p835: bool = True
    """Run the costly network; without it there are no `dnsmos_sig`, `_bak` and `_ovrl`."""
    max_windows: Annotated[int, Field(ge=1)] | None = None
    """Windows heard of a clip, evenly spread; 1 was within 0.06 (RMS) of all on 3.5 s clips."""
    device: Device = "auto"
    """`auto`: CUDA where onnxruntime has it (the package onnxruntime-gpu), else the CPU."""
    windows_at_once: Annotated[int, Field(ge=1, le=1024)] = 32
    """On a GPU."""

    @property
    def scores(self) -> Mapping[str, str]:
        """What it writes: one score, or four with the costly network."""
        return {**_P835, **_P808} if self.p835 else _P808

    def prices(self) -> Mapping[str, Price]:
        """What it costs by its windows, one for each second of a clip unless there are fewer."""
        windows_per_s = min(1.0, (self.max_windows or CLIP_S) / CLIP_S)
        work_s = _CHEAP_WORK_S + (_WORK_S if self.p835 else 0.0)
        source = f"{work_s:g} s a window on one core; a clip lasts {CLIP_S:g} s (assumed)"
        return {self.title: Price("cpu", windows_per_s * work_s, "speech_s", source)}

    @property
    def wants_gpu(self) -> bool:
        """Whether it would run on one: seen in what is installed, as the import takes its time."""
        if self.device == "auto":
            return any(distributions(name=_ONNX_ON_GPUS))
        return self.device == "cuda"

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Open the models.

        Raises:
            ModuleNotFoundError: speechmos or onnxruntime is not installed.
        """
        models = package_folder("speechmos", _PACKAGE) / "dnsmos_models"
        p808 = open_onnx(models / "model_v8.onnx", self.device)
        p835 = open_onnx(models / "sig_bak_ovr.onnx", self.device) if self.p835 else None
        mel = MelSpectrum(fft=321, bands=120)

        def opinions(heard: list[np.ndarray]) -> list[np.ndarray]:
            """What the networks say of each window [144160]: [number of scores]."""
            overall = _run(p808, np.stack([_spectrum(mel, window) for window in heard]))
            if p835 is None:
                return list(overall)
            raw = _run(p835, np.stack(heard))
            listened = [np.polyval(fit, raw[:, i]) for i, fit in enumerate((_SIG, _BAK, _OVRL))]
            return list(np.column_stack([*listened, overall]))

        def score(items: list[JudgeItem]) -> list[Scores | Failure]:
            heard = [self._windows(item.samples) for item in items]
            every = [window for of_clip in heard for window in of_clip]
            at_once = self.windows_at_once if on_gpu(p808) else 1
            batches = (every[i : i + at_once] for i in range(0, len(every), at_once))
            rows = (row for batch in batches for row in halving(opinions, batch, "judge"))
            return [self._mean([next(rows) for _ in of_clip]) for of_clip in heard]

        return usable_only(score)

    def _mean(self, opinions: list[np.ndarray | Failure]) -> Scores | Failure:
        """Scores of a clip: the mean over its windows, if all of them could be heard."""
        heard = []
        for one in opinions:
            if isinstance(one, Failure):
                return one
            heard.append(one)
        mean = np.mean(heard, axis=0)
        return dict(zip(self.scores, mean.tolist(), strict=True))

    def _windows(self, samples: np.ndarray) -> list[np.ndarray]:
        every = windows(samples)
        if self.max_windows is None or self.max_windows >= len(every):
            return every
        chosen = np.linspace(0, len(every) - 1, self.max_windows).round().astype(int)
        return [every[i] for i in chosen]


def windows(samples: np.ndarray) -> list[np.ndarray]:
    """The windows, float32 [144160] each, that speechmos hears of a clip [T].

    Bounds are computed as it does, in floating point: where they come out a sample short, it
    leaves the window out (the eighth to the twenty-fourth second of a long clip).
    """
    audio = samples.astype(np.float32)
    doublings = max(0, math.ceil(math.log2(_WINDOW / len(audio))))
    audio = np.tile(audio, 2**doublings)
    hops = int(len(audio) // JUDGE_RATE_HZ - _WINDOW_S) + 1
    bounds = [(i * JUDGE_RATE_HZ, int((i + _WINDOW_S) * JUDGE_RATE_HZ)) for i in range(hops)]
    cut = [audio[start:end] for start, end in bounds]
    return [window for window in cut if len(window) >= _WINDOW]


def _run(session: Any, batch: np.ndarray) -> np.ndarray:
    """A network's answer [N, D], float64, to a batch [N, ...]."""
    return np.asarray(session.run(None, {"input_1": batch})[0], np.float64)


def _spectrum(mel: MelSpectrum, window: np.ndarray) -> np.ndarray:
    """What the P.808 network sees of a window: its mel spectrum [900, 120] re its loudest cell."""
    level_db = 10 * np.log10(np.maximum(mel(window[:-HOP]), 1e-10))
    level_db -= level_db.max()
    scaled = (np.maximum(level_db, -_DYNAMIC_RANGE_DB) + 40) / 40
    return np.asarray(scaled, np.float32)
