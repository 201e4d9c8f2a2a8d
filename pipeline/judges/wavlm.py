"""Whether a take is in its own voice, by WavLM's x-vectors; and in that of its source recording."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from pipeline.judges.base import (
    Judge,
    JudgeBatch,
    JudgeContext,
    JudgeItem,
    JudgeName,
    Measured,
    Scores,
)
from pipeline.judges.dimensions import hear_sources
from pipeline.judges.usable import usable_only
from pipeline.judges.waveforms import Hearing, frame_count, load_network, shortest_clip
from pipeline.needs import Price
from pipeline.pretrained.named import ModelError, ModelName, Pretrained
from pipeline.records import Failure

_SCORES = {
    "cosine": "likeness to the voice's own neutral English clip, -1 to 1",
    "margin": "that minus the likeness to the likest other voice",
    "source_cosine": "likeness to the source recording, -1 to 1",
}


class WavlmSpeaker(Pretrained, Judge):
    """Likeness of voices by WavLM with an x-vector head (Chen et al. 2022, IEEE JSTSP 16(6)).

    `NAME_cosine` to the voice's neutral English clip, `NAME_margin`, that minus the cosine to the
    likest other voice (NaN where the recipe has one), and `NAME_source_cosine` to the source
    recording (NaN without one): a clone should be near its source, another voice need not be. The
    default is https://huggingface.co/microsoft/wavlm-base-plus-sv (its repository: CC BY-SA 3.0),
    trained on English. Strong emotion lowers the cosine of one and the same voice.
    """

    engine: Literal["wavlm"] = "wavlm"
    version: ClassVar[int] = 2
    checks: ClassVar[str] = (
        "whether a voice is itself in every language and unlike the others (WavLM)"
    )
    measures: ClassVar[frozenset[Measured]] = frozenset({"speaker"})
    uses_gpu: ClassVar[bool] = True
    price: ClassVar[Price] = Price("cuda", 0.005, "speech_s", "assumed, of 100 million parameters")
    needs_voices: ClassVar[bool] = True
    hears_source: ClassVar[bool] = True
    name: JudgeName = "wavlm"
    """Begins the names of its scores."""
    model: ModelName = "microsoft/wavlm-base-plus-sv"
    batch_s: Annotated[float, Field(gt=0)] = 120.0
    """Seconds of speech in a batch, padding and all."""

    @property
    def scores(self) -> Mapping[str, str]:
        """What it writes, under its name."""
        return {f"{self.name}_{score}": about for score, about in _SCORES.items()}

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Load the network and embed every voice's reference clip.

        Raises:
            ModelError: the network can't be had, or makes nothing of a voice's clip.
        """
        from transformers import WavLMForXVector

        model, extractor = load_network(self, WavLMForXVector)
        # The pooling takes a standard deviation, of two frames at the least.
        shortest = shortest_clip(model, 2 + _swallowed_frames(model))
        hearing = Hearing(
            model, extractor, lambda inputs: x_vectors(model, **inputs), shortest, self.batch_s
        )
        voices = self._embed_voices(hearing, context.voices)

        def score(items: list[JudgeItem]) -> list[Scores | Failure]:
            takes = hearing([item.samples for item in items])
            sources = hear_sources(hearing, items)
            return [
                take if isinstance(take, Failure) else self._score(item, take, source, voices)
                for item, take, source in zip(items, takes, sources, strict=True)
            ]

        return usable_only(score)

    def _embed_voices(
        self, hearing: Hearing, clips: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        found = dict(zip(clips, hearing(list(clips.values())), strict=True))
        for voice, vector in found.items():
            if isinstance(vector, Failure):
                raise ModelError(
                    f"judge '{self.name}': the clip of voice '{voice}': {vector.error}"
                )
            if not np.isfinite(vector).all():
                raise ModelError(
                    f"judge '{self.name}': {self.model} gave a vector that is not of numbers for "
                    f"the clip of voice '{voice}'"
                )
        return {voice: v for voice, v in found.items() if not isinstance(v, Failure)}

    def _score(
        self,
        item: JudgeItem,
        take: np.ndarray,
        source: np.ndarray | Failure | None,
        voices: Mapping[str, np.ndarray],
    ) -> Scores | Failure:
        if not np.isfinite(take).all():
            return Failure("judge", f"{self.model} gave a vector that is not of numbers")
        if isinstance(source, Failure):
            return source
        if item.voice not in voices:
            return Failure("judge", f"voice '{item.voice}' has no reference clip to compare with")
        cosines = {voice: _cosine(take, vector) for voice, vector in voices.items()}
        own = cosines.pop(item.voice)
        margin = own - max(cosines.values()) if cosines else math.nan
        alike = math.nan if source is None else _cosine(take, source)
        return dict(zip(self.scores, (own, margin, alike), strict=True))


def _cosine(left: np.ndarray, right: np.ndarray) -> float:
    return float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))


def x_vectors(model: Any, input_values: Any, attention_mask: Any) -> Any:
    """Embeddings [B, D] of padded waveforms [B, T] with their mask [B, T].

    As `WavLMForXVector` makes them of one clip without padding. Its own lengths for batches leave
    out the dilation of the convolutions (transformers 5.23, `_get_tdnn_output_lengths`), so that
    its means and deviations take in frames that heard padding.
    """
    import torch

    weighted = model.config.use_weighted_layer_sum
    found = model.wavlm(input_values, attention_mask=attention_mask, output_hidden_states=weighted)
    frames = found.last_hidden_state
    if weighted:
        weights = model.layer_weights.softmax(dim=-1)
        layers = torch.stack(found.hidden_states, dim=1)
        frames = (layers * weights.view(-1, 1, 1)).sum(dim=1)
    frames = model.projector(frames)
    for layer in model.tdnn:
        frames = layer(frames)
    lengths = frame_count(model, attention_mask.sum(dim=1)) - _swallowed_frames(model)
    own = [row[:length] for row, length in zip(frames, lengths.tolist(), strict=True)]
    pooled = torch.stack([torch.cat([one.mean(dim=0), one.std(dim=0)]) for one in own])
    return model.feature_extractor(pooled)


def _swallowed_frames(model: Any) -> int:
    """Frames by which the convolutions over time shorten a clip."""
    layers = zip(model.config.tdnn_kernel, model.config.tdnn_dilation, strict=True)
    return sum((kernel - 1) * dilation for kernel, dilation in layers)
