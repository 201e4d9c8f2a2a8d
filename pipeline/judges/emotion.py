"""Which emotion a speech classifier hears in a take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from pipeline.calibration import tempered
from pipeline.emotions import EMOTIONS, Emotion
from pipeline.judges.base import (
    Judge,
    JudgeBatch,
    JudgeContext,
    JudgeItem,
    JudgeName,
    Measured,
    Scores,
)
from pipeline.judges.usable import usable_only
from pipeline.judges.verdict import verdict
from pipeline.judges.waveforms import Hearing, load_network, shortest_clip
from pipeline.languages import Language
from pipeline.needs import CLIP_S, Price
from pipeline.pretrained.named import ModelError, Pretrained
from pipeline.pretrained.transformer import refuse_several_labels
from pipeline.records import Failure

Classify = Callable[[Sequence[np.ndarray]], "list[np.ndarray | Failure]"]
"""Clips float32 [T] at 16 kHz -> probabilities of the emotions that it knows, in their order."""

_WHISPER_PRICE = Price(
    "cuda", 0.05 / CLIP_S, "speech_s", "assumed, 0.05 s a clip, of which it always hears 30 s"
)
"""Of a classifier on Whisper large's encoder."""
_SCORES = {
    "probability": "probability of the wanted emotion, by a classifier of speech",
    "margin": "that minus the likeliest other emotion's",
    "entropy": "entropy of the probabilities, as a share of the largest possible",
    "outside": "probability of labels that are none of our emotions",
}


class SpeechEmotion(Pretrained, Judge):
    """An audio classifier of transformers (wav2vec 2.0, HuBERT, WavLM or Whisper).

    `NAME_probability` of the wanted emotion among those that the classifier knows, `NAME_margin`,
    that minus the likeliest other's, and `NAME_entropy` of all, as a share of the largest possible;
    `NAME_outside` is the probability of labels that map to none of our emotions, taken out before.
    The first three are NaN where the classifier doesn't know the wanted emotion. Such classifiers
    were mostly trained on acted English and do not carry over to synthetic speech by themselves
    (arXiv 2603.16483): let several vote, and calibrate them by language. Model card, licence,
    languages and paper are those of the model that you name.
    """

    engine: Literal["emotion"] = "emotion"
    version: ClassVar[int] = 1
    checks: ClassVar[str] = "whether a pretrained emotion classifier hears the wanted emotion"
    measures: ClassVar[frozenset[Measured]] = frozenset({"emotion"})
    uses_gpu: ClassVar[bool] = True
    price: ClassVar[Price] = Price("cuda", 0.01, "speech_s", "assumed, of 300 million parameters")
    name: JudgeName = "emotion"
    """Begins the names of its scores."""
    labels: Annotated[dict[str, Emotion | None], Field(min_length=2)]
    """Our emotion for every label of the model; null for a label that is none of ours."""
    temperatures: dict[Language, Annotated[float, Field(gt=0)]] = {}
    """Calibrate its probabilities by language, as `m5ser calibrate` finds; 1 is its own softmax."""
    batch_s: Annotated[float, Field(gt=0)] = 120.0
    """Seconds of speech in a batch, padding and all."""

    @property
    def scores(self) -> Mapping[str, str]:
        """What it writes, under its name."""
        return {f"{self.name}_{score}": about for score, about in _SCORES.items()}

    def prices(self) -> Mapping[str, Price]:
        """What it costs by others' reports: a Whisper hears 30 s of every clip."""
        return {self.title: _WHISPER_PRICE if "whisper" in self.model.lower() else self.price}

    @property
    def emotions(self) -> tuple[Emotion, ...]:
        """Those of ours that it knows, in our order."""
        return tuple(emotion for emotion in EMOTIONS if emotion in self.labels.values())

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Load the classifier.

        Raises:
            ModelError: it can't be had, its labels are not those of the recipe, or it may give
                several to one clip.
        """
        classify = self.classifier()

        def score(items: list[JudgeItem]) -> list[Scores | Failure]:
            heard = classify([item.samples for item in items])
            return [
                found if isinstance(found, Failure) else self._score(item, found)
                for item, found in zip(items, heard, strict=True)
            ]

        return usable_only(score)

    def classifier(self) -> Classify:
        """Load the classifier: what it gives to each of `emotions`, before any calibration.

        Raises:
            ModelError: it can't be had, its labels are not those of the recipe, or it may give
                several to one clip.
        """
        from transformers import AutoModelForAudioClassification

        model, extractor = load_network(self, AutoModelForAudioClassification)
        refuse_several_labels(model, self.model)
        classes = [self._known(model.config.id2label)[label] for label in _ordered(model)]
        hearing = Hearing(
            model,
            extractor,
            lambda inputs: model(**inputs).logits.float().softmax(dim=-1),
            shortest_clip(model),
            self.batch_s,
        )

        def classify(clips: Sequence[np.ndarray]) -> list[np.ndarray | Failure]:
            return [
                one if isinstance(one, Failure) else self._shares(one, classes)
                for one in hearing(clips)
            ]

        return classify

    def _known(self, id2label: dict[int, str]) -> dict[str, Emotion | None]:
        """The label map, once it is known to be of the model's very labels."""
        if set(id2label.values()) != set(self.labels):
            raise ModelError(
                f"labels: the model's are {', '.join(sorted(map(str, id2label.values())))}; the "
                f"recipe maps {', '.join(sorted(self.labels))}: map each of the model's labels to "
                f"one of {', '.join(EMOTIONS)}, or to null"
            )
        return self.labels

    def _shares(self, found: np.ndarray, classes: list[Emotion | None]) -> np.ndarray | Failure:
        """The probabilities of the labels, added up by emotion."""
        if not np.isfinite(found).all():
            return Failure("judge", f"{self.model} gave probabilities that are not numbers")
        return np.array(
            [
                sum(found[i] for i, one in enumerate(classes) if one == emotion)
                for emotion in self.emotions
            ]
        )

    def _score(self, item: JudgeItem, shares: np.ndarray) -> Scores:
        ours, numbers = self.emotions, (math.nan,) * 3
        if item.emotion in ours and len(ours) > 1:
            temperature = self.temperatures.get(item.language, 1.0)
            numbers = verdict(tempered(shares, temperature), ours.index(item.emotion))
        outside = float(max(0.0, 1.0 - shares.sum()))
        return dict(zip(self.scores, (*numbers, outside), strict=True))


def _ordered(model: object) -> list[str]:
    id2label: dict[int, str] = model.config.id2label  # type: ignore[attr-defined]
    return [id2label[i] for i in range(len(id2label))]
