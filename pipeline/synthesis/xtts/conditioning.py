"""From recordings to the latents that XTTS speaks by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.audio import Clip, resample
from pipeline.records import Failure

if TYPE_CHECKING:
    from torch import Tensor

_RATE_HZ = 22_050
_SHORTEST_S = 0.33
"""Of all clips together, in samples at `_RATE_HZ`, a fraction of which a resampled clip may lack:
what coqui-tts leaves out as too short (`get_gpt_cond_latents`)."""
_KEPT = 256
"""References whose latents are kept: 130 kB each in XTTS v2."""


@dataclass(frozen=True)
class Conditioning:
    """How to speak, latents [32, D], and in whose voice, [1, 512, 1]."""

    latents: Tensor
    speaker: Tensor


class Conditioner:
    """Turns recordings into latents by the rules of the checkpoint's config; the last are kept."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._kept: dict[str, Conditioning] = {}

    def __call__(self, clips: Sequence[Clip]) -> Conditioning | Failure:
        """Latents of the clips together, or why there are none."""
        if not clips:
            return Failure(
                "synthesize",
                "xtts speaks in the voice of a recording and this utterance has none; use another "
                "engine for a corpus of texts",
            )
        key = "".join(clip.sha256 for clip in clips)
        found = self._kept.pop(key, None) or self._compute(clips)
        if isinstance(found, Failure):
            return found
        self._kept[key] = found
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return found

    def _compute(self, clips: Sequence[Clip]) -> Conditioning | Failure:
        """As `Xtts.get_conditioning_latents` does with files."""
        import torch

        config = self._model.config
        audio = [self._prepared(clip) for clip in clips]
        whole = torch.cat(audio, dim=-1)
        if whole.shape[-1] < _SHORTEST_S * _RATE_HZ:
            return Failure(
                "synthesize",
                f"the reference lasts {whole.shape[-1] / _RATE_HZ:.2f} s and xtts needs more than "
                f"{_SHORTEST_S:g} s; set synthesis.reference: speaker_emotion, so that the "
                "speaker's other clips help",
            )
        embeddings = [self._model.get_speaker_embedding(one, _RATE_HZ) for one in audio]
        latents = self._model.get_gpt_cond_latents(
            whole,
            _RATE_HZ,
            length=config.gpt_cond_len,
            chunk_length=config.gpt_cond_chunk_len,
        )
        return Conditioning(latents[0], torch.stack(embeddings).mean(dim=0))

    def _prepared(self, clip: Clip) -> Tensor:
        """A clip [1, T] at 22.05 kHz, no longer than what the checkpoint listens to."""
        import torch

        samples = resample(clip.samples, clip.sampling_rate, _RATE_HZ)
        samples = samples[: _RATE_HZ * self._model.config.max_ref_len]
        return torch.from_numpy(np.clip(samples, -1.0, 1.0))[None].to(self._model.device)
