"""How aroused, positive and dominant a take sounds, and how far that is from its source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from pipeline.judges.base import Judge, JudgeBatch, JudgeContext, JudgeItem, JudgeName, Scores
from pipeline.judges.usable import usable_only
from pipeline.judges.waveforms import Hearing, load_network, mean_frame, shortest_clip
from pipeline.needs import Price
from pipeline.pretrained.named import ModelError, ModelName, Pretrained
from pipeline.records import Failure

_DIMENSIONS = ("arousal", "valence", "dominance")


class Dimensions(Pretrained, Judge):
    """A regressor of arousal, valence and dominance (wav2vec 2.0 with a head of two layers).

    `NAME_arousal`, `NAME_valence`, `NAME_dominance`, about 0 to 1, and `NAME_distance`, Euclidean,
    between the take's three and its source recording's (NaN without one). The default is of Wagner
    et al. 2023, "Dawn of the transformer era in speech emotion recognition", IEEE TPAMI 45(9),
    trained on English podcasts (https://huggingface.co/audeering/
    wav2vec2-large-robust-12-ft-emotion-msp-dim, CC BY-NC-SA 4.0). Valence is heard in the words
    more than in the voice, and its words are English.
    """

    engine: Literal["dimensions"] = "dimensions"
    version: ClassVar[int] = 3
    checks: ClassVar[str] = "arousal, dominance and valence as a pretrained model hears them"
    uses_gpu: ClassVar[bool] = True
    price: ClassVar[Price] = Price("cuda", 0.01, "speech_s", "assumed, of 160 million parameters")
    hears_source: ClassVar[bool] = True
    name: JudgeName = "dimensions"
    """Begins the names of its scores."""
    model: ModelName = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
    batch_s: Annotated[float, Field(gt=0)] = 120.0
    """Seconds of speech in a batch, padding and all."""

    @property
    def scores(self) -> Mapping[str, str]:
        """What it writes, under its name."""
        found = {f"{self.name}_{one}": f"{one} of the voice, about 0 to 1" for one in _DIMENSIONS}
        apart = "distance of these three to the source recording's"
        return {**found, f"{self.name}_distance": apart}

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Load the regressor.

        Raises:
            ModelError: it can't be had, or tells other dimensions than these three.
        """
        model, extractor = load_network(self, regressor())
        places = _places(model.config.id2label)

        def forward(inputs: dict[str, Any]) -> Any:
            return model(**inputs)[:, places]

        hearing = Hearing(model, extractor, forward, shortest_clip(model), self.batch_s)

        def score(items: list[JudgeItem]) -> list[Scores | Failure]:
            takes = hearing([item.samples for item in items])
            sources = hear_sources(hearing, items)
            return [
                take if isinstance(take, Failure) else self._score(take, source)
                for take, source in zip(takes, sources, strict=True)
            ]

        return usable_only(score)

    def _score(self, take: np.ndarray, source: np.ndarray | Failure | None) -> Scores | Failure:
        if not np.isfinite(take).all():
            return Failure("judge", f"{self.model} gave dimensions that are not numbers")
        if isinstance(source, Failure):
            return source
        distance = math.nan if source is None else float(np.linalg.norm(take - source))
        return dict(zip(self.scores, (*take.tolist(), distance), strict=True))


def hear_sources(hearing: Hearing, items: Sequence[JudgeItem]) -> list[np.ndarray | Failure | None]:
    """What a network makes of each item's source recording, each recording heard once.

    None where there is none, or where its length is none that the network hears; a `Failure` where
    it doesn't fit into memory, or the network gives something that is not of numbers.
    """
    clips = {
        id(item.source): item.source
        for item in items
        if item.source is not None and hearing.fault(item.source) is None
    }
    heard = dict(zip(clips, map(_heard, hearing(list(clips.values()))), strict=True))
    return [heard.get(id(item.source)) for item in items]


def _heard(source: np.ndarray | Failure) -> np.ndarray | Failure:
    if isinstance(source, Failure):
        return Failure(source.stage, f"its source recording: {source.error}")
    if not np.isfinite(source).all():
        return Failure("judge", "its source recording: the network's vector is not of numbers")
    return source


def _places(id2label: dict[int, str]) -> list[int]:
    """Columns of the network's output in the order of `_DIMENSIONS`."""
    columns = {label.lower(): place for place, label in id2label.items()}
    if set(columns) != set(_DIMENSIONS):
        raise ModelError(
            f"model: its labels are {', '.join(id2label.values())}; arousal, valence and "
            "dominance are wanted"
        )
    return [columns[dimension] for dimension in _DIMENSIONS]


def regressor() -> Any:
    """The class of network: wav2vec 2.0, the mean over time, then linear, tanh, linear.

    The parameters are named as in the published checkpoint, and `forward` takes padded batches.
    """
    import torch
    from transformers import Wav2Vec2Model, Wav2Vec2PreTrainedModel

    class Head(torch.nn.Module):
        def __init__(self, config: Any) -> None:
            super().__init__()
            self.dense = torch.nn.Linear(config.hidden_size, config.hidden_size)
            self.out_proj = torch.nn.Linear(config.hidden_size, config.num_labels)

        def forward(self, pooled: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.out_proj(torch.tanh(self.dense(pooled)))
            return found

    class Wav2Vec2Regressor(Wav2Vec2PreTrainedModel):  # type: ignore[no-untyped-call]
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.wav2vec2 = Wav2Vec2Model(config)
            self.classifier = Head(config)
            self.post_init()  # type: ignore[no-untyped-call]

        def forward(self, input_values: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            """Waveforms [B, T] with their mask [B, T] -> [B, number of labels]."""
            frames = self.wav2vec2(input_values, attention_mask=attention_mask).last_hidden_state
            found: torch.Tensor = self.classifier(mean_frame(self, frames, attention_mask))
            return found

    return Wav2Vec2Regressor
