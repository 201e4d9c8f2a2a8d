"""Whether a take is in its own voice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from pipeline.judges.base import Judge, JudgeBatch, JudgeContext, JudgeItem, Measured, Scores
from pipeline.judges.bundled import need
from pipeline.judges.mel import MelSpectrum
from pipeline.judges.usable import usable_only
from pipeline.needs import Price
from pipeline.records import Failure

_PACKAGE = "resemblyzer>=0.1.4"
_PARTIALS_PER_S = 1.3
_COVERAGE = 0.75
_PARTIALS_AT_ONCE = 256

Embed = Callable[[Sequence[np.ndarray]], "list[np.ndarray | None]"]


class Speaker(Judge):
    """Likeness of a take to its voice's neutral English clip (GE2E, Wan et al. 2018; resemblyzer).

    https://github.com/resemble-ai/Resemblyzer, Apache-2.0; trained on English, and by its own word
    less sure of other languages.
    `speaker_cosine` to its own voice; `speaker_margin`, that minus the cosine to the likest other
    voice (NaN where the recipe has one voice). Both are NaN where the voice detector leaves nothing
    to embed. Embeddings are resemblyzer's own: the level is raised to -30 dBFS, what webrtcvad
    calls silence is cut out, and 1.6 s pieces are averaged (measured on human speech: about 0.9
    for one voice, 0.6 for two). Strong emotion lowers the cosine of one and the same voice.
    """

    engine: Literal["speaker"] = "speaker"
    version: ClassVar[int] = 1
    checks: ClassVar[str] = (
        "whether a voice is itself in every language and unlike the others (resemblyzer)"
    )
    measures: ClassVar[frozenset[Measured]] = frozenset({"speaker"})
    wheels: ClassVar[tuple[str, ...]] = ("resemblyzer",)
    price: ClassVar[Price] = Price("cpu", 0.03, "speech_s", "assumed")
    scores: ClassVar[Mapping[str, str]] = {
        "speaker_cosine": "likeness to the voice's own neutral English clip, -1 to 1",
        "speaker_margin": "that minus the likeness to the likest other voice",
    }
    needs_voices: ClassVar[bool] = True

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Load the encoder and embed every voice's reference clip.

        Raises:
            ModuleNotFoundError: resemblyzer is not installed.
            ValueError: there are no voices, or a voice's reference clip has no speech.
        """
        embed = load_embedder()
        voices = _embed_voices(embed, context.voices)

        def score(items: list[JudgeItem]) -> list[Scores | Failure]:
            takes = embed([item.samples for item in items])
            return [_score(item, take, voices) for item, take in zip(items, takes, strict=True)]

        return usable_only(score)


def load_embedder() -> Embed:
    """Load resemblyzer's encoder on the CPU, with torch's loader of plain tensors only.

    Raises:
        ModuleNotFoundError: resemblyzer is not installed.
    """
    resemblyzer = need("resemblyzer", _PACKAGE)
    encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)
    mel = MelSpectrum(fft=400, bands=40)

    def embed(clips: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        """Unit vectors float32 [256] of clips [T] at 16 kHz; None where there is no voice."""
        voiced = [_voiced(resemblyzer, clip) for clip in clips]
        pieces = [_pieces(encoder, mel, clip) if len(clip) else [] for clip in voiced]
        vectors = iter(_forward(encoder, [piece for of_clip in pieces for piece in of_clip]))
        return [_mean_direction([next(vectors) for _ in of_clip]) for of_clip in pieces]

    return embed


def _voiced(resemblyzer: Any, clip: np.ndarray) -> np.ndarray:
    """The clip as the encoder was trained to hear it; empty where nothing is left of it."""
    if not np.any(clip):
        return clip[:0]
    return np.asarray(resemblyzer.preprocess_wav(np.clip(clip, -1.0, 1.0)), np.float32)


def _pieces(encoder: Any, mel: MelSpectrum, clip: np.ndarray) -> list[np.ndarray]:
    """Overlapping mel spectra [160, 40] that cover a clip, silence after its end."""
    in_samples, in_frames = encoder.compute_partial_slices(len(clip), _PARTIALS_PER_S, _COVERAGE)
    spectrum = mel(np.pad(clip, (0, max(0, in_samples[-1].stop - len(clip)))))
    return [spectrum[frames] for frames in in_frames]


def _forward(encoder: Any, pieces: list[np.ndarray]) -> list[np.ndarray]:
    """The encoder's vectors [256] of the pieces of all clips, in full batches."""
    import torch

    vectors: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(pieces), _PARTIALS_AT_ONCE):
            batch = torch.from_numpy(np.stack(pieces[start : start + _PARTIALS_AT_ONCE]))
            vectors.extend(encoder(batch).numpy())
    return vectors


def _mean_direction(vectors: list[np.ndarray]) -> np.ndarray | None:
    if not vectors:
        return None
    mean = np.mean(vectors, axis=0)
    direction: np.ndarray = mean / np.linalg.norm(mean)
    return direction


def _embed_voices(embed: Embed, clips: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    if not clips:
        raise ValueError(
            "judge 'speaker': there is no reference clip of any voice to compare with; "
            "remove 'speaker' from the recipe's judges"
        )
    vectors = dict(zip(clips, embed(list(clips.values())), strict=True))
    mute = [voice for voice, vector in vectors.items() if vector is None]
    if mute:
        raise ValueError(
            f"judge 'speaker': no speech was found in the reference clip of {', '.join(mute)}; "
            "choose other voices in the recipe's synthesis"
        )
    return {voice: vector for voice, vector in vectors.items() if vector is not None}


def _score(
    item: JudgeItem, take: np.ndarray | None, voices: Mapping[str, np.ndarray]
) -> Scores | Failure:
    if item.voice not in voices:
        return Failure("judge", f"voice '{item.voice}' has no reference clip to compare with")
    if take is None:
        return {"speaker_cosine": math.nan, "speaker_margin": math.nan}
    cosines = {voice: float(take @ vector) for voice, vector in voices.items()}
    own = cosines.pop(item.voice)
    return {
        "speaker_cosine": own,
        "speaker_margin": own - max(cosines.values()) if cosines else math.nan,
    }
