"""How alike raters would call the prosody of a take and its source: AutoPCP."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from pipeline.judges.base import Judge, JudgeBatch, JudgeContext, JudgeItem, JudgeName, Scores
from pipeline.judges.comparator import (
    Compare,
    comparator_sha256,
    lacking_comparator,
    load_comparator,
)
from pipeline.judges.dimensions import hear_sources
from pipeline.judges.usable import usable_only
from pipeline.judges.waveforms import Hearing, load_network, mean_frame, shortest_clip
from pipeline.needs import Lack, Price
from pipeline.pretrained.named import ModelError, ModelName, Pretrained
from pipeline.records import Failure

_NO_EMBEDDING = "the network gave an embedding that is not of numbers"
_NO_RATING = "the comparator gave no number for the take and its source"


class AutoPcp(Pretrained, Judge):
    """Predicted likeness of prosody of two clips, whatever their languages.

    `NAME`: about 1 (nothing alike) to 4 (very much), the scale of the human protocol that AutoPCP
    was trained on (Seamless Communication et al. 2023, arXiv 2312.05187; facebookresearch/stopes,
    eval/auto_pcp); NaN without a source. The embedding is the mean of a layer of XLSR-53 over a
    clip's own frames (Conneau et al. 2020, arXiv 2006.13979; https://huggingface.co/facebook/
    wav2vec2-large-xlsr-53, Apache-2.0, 53 languages). stopes divides it by the padded length, so
    that there a batch moves it; the values here are those that it gives a clip alone.
    """

    engine: Literal["autopcp"] = "autopcp"
    version: ClassVar[int] = 3
    checks: ClassVar[str] = (
        "how alike raters would call its prosody and the source recording's (AutoPCP)"
    )
    uses_gpu: ClassVar[bool] = True
    price: ClassVar[Price] = Price("cuda", 0.01, "speech_s", "assumed, of 120 million parameters")
    hears_source: ClassVar[bool] = True
    name: JudgeName = "autopcp"
    """Begins the names of its scores."""
    model: ModelName = "facebook/wav2vec2-large-xlsr-53"
    layer: Annotated[int, Field(ge=1)] = 9
    """Whose output is averaged, from 1 on (9: stopes, AutoPCP_multilingual_v2.yaml)."""
    comparator: Annotated[str, Field(min_length=1)]
    """A folder: see `pipeline.judges.comparator` for what is in it, and where to have it from."""
    comparator_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Of that folder's files: others are refused (none: whichever are found)."""
    batch_s: Annotated[float, Field(gt=0)] = 120.0
    """Seconds of speech in a batch, padding and all."""

    @property
    def scores(self) -> Mapping[str, str]:
        """What it writes: one score, its name."""
        return {self.name: "likeness of the prosody to the source recording's, about 1 to 4"}

    @model_validator(mode="after")
    def _pickles_allowed(self) -> Self:
        if not self.allow_pickle:
            raise ValueError(
                "allow_pickle: the comparator is published as pickles alone; set allow_pickle: "
                "true to read numbers, and nothing else, from them"
            )
        return self

    def lacks(self) -> Iterator[Lack]:
        """The network's weights, and the comparator."""
        yield from super().lacks()
        yield from lacking_comparator(self.comparator)

    def pinned(self) -> Self:
        """The same settings with the network's revision and the comparator's hash filled in.

        Raises:
            ModelError: one of them can't be found.
        """
        sha256 = self.comparator_sha256 or comparator_sha256(self.comparator)
        return super().pinned().model_copy(update={"comparator_sha256": sha256})

    def fingerprint(self) -> str:
        """Hash of the settings; of a pinned folder the contents count and not its place."""
        placeless = self.model_copy(update={"comparator": ""} if self.comparator_sha256 else {})
        return super(AutoPcp, placeless).fingerprint()

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Load the network, as far as it is needed, and the comparator.

        Raises:
            ModelError: one of them can't be had, is not what was pinned, or is of another kind.
        """
        from transformers import Wav2Vec2Model

        model, extractor = load_network(self, Wav2Vec2Model)
        forward = _layer_mean(model, self.layer)
        hearing = Hearing(model, extractor, forward, shortest_clip(model), self.batch_s)
        compare = self._open_comparator(model.config.hidden_size)

        def score(items: list[JudgeItem]) -> list[Scores | Failure]:
            takes = hearing([item.samples for item in items])
            rated = _ratings(compare, takes, hear_sources(hearing, items))
            return [one if isinstance(one, Failure) else {self.name: one} for one in rated]

        return usable_only(score)

    def _open_comparator(self, width: int) -> Compare:
        found = comparator_sha256(self.comparator)
        if self.comparator_sha256 not in (None, found):
            raise ModelError(
                f"comparator_sha256: the files of '{self.comparator}' have the SHA-256 {found}, "
                f"the recipe pins {self.comparator_sha256}; get the pinned files, or change the "
                "recipe to mean these"
            )
        return load_comparator(Path(self.comparator).expanduser(), width)


def _layer_mean(model: Any, layer: int) -> Callable[[dict[str, Any]], Any]:
    """The mean of a layer's output over each clip's own frames; the layers behind it are let go."""
    from torch import nn

    layers = model.encoder.layers
    if layer > len(layers):
        raise ModelError(f"layer: {layer} is wanted, the model has {len(layers)}: name one of them")
    model.encoder.layers = layers[:layer]
    if model.config.do_stable_layer_norm:
        model.encoder.layer_norm = nn.Identity()  # it comes behind the last layer

    def forward(inputs: dict[str, Any]) -> Any:
        frames = model(**inputs).last_hidden_state
        return mean_frame(model, frames, inputs["attention_mask"])

    return forward


def _ratings(
    compare: Compare,
    takes: Sequence[np.ndarray | Failure],
    sources: Sequence[np.ndarray | Failure | None],
) -> list[float | Failure]:
    """Of every take against its source, NaN without one; no number is a `Failure`."""
    import torch

    rated = [_unrated(take, source) for take, source in zip(takes, sources, strict=True)]
    pairs = [
        (place, take, source)
        for place, (take, source) in enumerate(zip(takes, sources, strict=True))
        if not isinstance(rated[place], Failure) and isinstance(source, np.ndarray)
    ]
    if pairs:
        places, heard, wanted = zip(*pairs, strict=True)
        sides = (torch.from_numpy(np.stack(side)) for side in (heard, wanted))
        for place, rating in zip(places, compare(*sides).tolist(), strict=True):
            rated[place] = rating if math.isfinite(rating) else Failure("judge", _NO_RATING)
    return rated


def _unrated(take: np.ndarray | Failure, source: np.ndarray | Failure | None) -> float | Failure:
    """What a take has without a rating: NaN, or why it can have none."""
    if isinstance(take, Failure):
        return take
    if not np.isfinite(take).all():
        return Failure("judge", _NO_EMBEDDING)
    return source if isinstance(source, Failure) else math.nan
