"""Whether a translation still sounds to a text classifier as its source does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from pipeline.emotions import Emotion
from pipeline.judges.base import Scores
from pipeline.languages import Language
from pipeline.needs import Price
from pipeline.pretrained.batching import run_by_length
from pipeline.pretrained.named import ModelError, Pretrained
from pipeline.pretrained.transformer import (
    open_model,
    open_tokenizer,
    refuse_several_labels,
)
from pipeline.records import Failure
from pipeline.text_judges.base import TextItem, TextJudge, TextJudgeBatch


class TextEmotion(Pretrained, TextJudge):
    """Any text classifier of transformers that tells emotions apart in all languages of the recipe.

    `text_emotion_kept`: how much of the probability the translation and its source give to the same
    labels (the sum of the smaller of both; 1: the same distribution). `text_emotion_probability`:
    what the translation gives to the labels of the wanted emotion, NaN if the model has none. A
    witness to the words alone, which may say nothing of what the voice is to do: give it a vote and
    not the decision. Model card, licence, languages and paper are those of the model that you name.
    """

    engine: Literal["emotion"] = "emotion"
    version: ClassVar[int] = 1
    checks: ClassVar[str] = "whether a classifier of texts finds the same emotion in the line"
    price: ClassVar[Price] = Price("cuda", 0.002, "line", "assumed, of 300 million parameters")
    scores: ClassVar[Mapping[str, str]] = {
        "text_emotion_kept": "of the words' emotion, what the translation kept, 0 to 1",
        "text_emotion_probability": "probability of the wanted emotion, by the translation's words",
    }
    labels: Annotated[dict[str, Emotion | None], Field(min_length=2)]
    """Each label of the model, and which emotion it is; none: it is no emotion of ours."""
    tokens_per_batch: Annotated[int, Field(ge=1)] = 8192
    """Tokens that are classified at once, padding included."""

    def load(self, languages: tuple[Language, ...]) -> TextJudgeBatch:
        """Load the model and its tokenizer.

        Raises:
            ModelError: they can't be had, are not what was pinned, have other labels, or may give
                several to one text.
        """
        folder = self.folder()
        device, dtype = self.placement()
        model = open_model("AutoModelForSequenceClassification", folder, device, dtype)
        refuse_several_labels(model, self.model)
        names = tuple(model.config.id2label[place] for place in range(model.config.num_labels))
        if set(names) != set(self.labels):
            raise ModelError(
                f"labels: '{self.model}' has the labels {', '.join(sorted(names))}, the recipe "
                f"names {', '.join(sorted(self.labels))}: name each of the model's, and no other"
            )
        return _Running(self, model, open_tokenizer(folder), device, names).judge


@dataclass(frozen=True)
class _Running:
    settings: TextEmotion
    model: Any
    tokenizer: Any
    device: str
    names: tuple[str, ...]

    def judge(self, items: Sequence[TextItem]) -> list[Scores | Failure]:
        """Classify every source and every text once."""
        texts = dict.fromkeys(text for item in items for text in (item.source_text, item.text))
        found = dict(zip(texts, self._classify(list(texts)), strict=True))
        return [self._score(item, found[item.source_text], found[item.text]) for item in items]

    def _classify(self, texts: list[str]) -> list[list[float] | Failure]:
        """Probabilities of the labels for each text."""
        encoded = [self.tokenizer(text).input_ids for text in texts]
        # The first places of a RoBERTa are its padding's: two fewer are left than it has.
        places = self.model.config.max_position_embeddings - 2
        longest = min(self.tokenizer.model_max_length, places)
        answers = iter(self._classify_all([ids for ids in encoded if len(ids) <= longest]))
        return [
            next(answers) if len(ids) <= longest else _too_long(len(ids), longest)
            for ids in encoded
        ]

    def _classify_all(self, encoded: list[list[int]]) -> list[list[float] | Failure]:
        lengths = [len(ids) for ids in encoded]
        budget = self.settings.tokens_per_batch
        return run_by_length(self._forward, encoded, lengths, budget, "check")

    def _forward(self, batch: list[list[int]]) -> list[list[float] | Failure]:
        import torch

        padded = self.tokenizer.pad({"input_ids": batch}, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            logits = self.model(**padded).logits.float()
        return list(logits.softmax(dim=-1).tolist())

    def _score(
        self, item: TextItem, source: list[float] | Failure, text: list[float] | Failure
    ) -> Scores | Failure:
        if isinstance(source, Failure):
            return source
        if isinstance(text, Failure):
            return text
        return {
            "text_emotion_kept": math.fsum(map(min, source, text)),
            "text_emotion_probability": self._probability(item.emotion, text),
        }

    def _probability(self, emotion: Emotion, found: Sequence[float]) -> float:
        own = [p for name, p in zip(self.names, found, strict=True) if self._is(name, emotion)]
        return math.fsum(own) if own else math.nan

    def _is(self, label: str, emotion: Emotion) -> bool:
        return self.settings.labels[label] == emotion


def _too_long(tokens: int, longest: int) -> Failure:
    return Failure("check", f"the text has {tokens} tokens and the model takes {longest}")
