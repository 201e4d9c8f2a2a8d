"""The model with the heads that only training needs, and the sum of a stage's losses.

Shapes: B clips, D the Q-Former's width, S the shared space of speech and text, T texts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.data.clip_set import Batch
from model.losses import (
    adversary_strength,
    class_loss,
    reverse_gradient,
    speech_text_contrast,
    supervised_contrast,
    word_loss,
)
from model.network.labels import TEXTS
from model.network.ser import EmotionModel, Heard
from model.recipe.training import Losses


class Objective(nn.Module):
    """A batch in, its losses by name out; `total` is their weighted sum."""

    def __init__(
        self, model: EmotionModel, labels: tuple[str, ...], speakers: int, shared_width: int
    ) -> None:
        super().__init__()
        width = model.projection.in_features
        self.model = model
        self.labels = labels
        self.of_speech = nn.Linear(width, shared_width)
        self.of_text = nn.Linear(model.language_model.width, shared_width)
        self.auxiliary = nn.Linear(width, len(labels))
        self.speaker = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, max(1, speakers))
        )
        known = {str(emotion): texts for emotion, texts in TEXTS.items()}
        pairs = [(n, text) for n, label in enumerate(labels) for text in known.get(label, (label,))]
        self.texts = [text for _, text in pairs]
        self.emotion_of_text: Tensor
        self.register_buffer("emotion_of_text", torch.tensor([n for n, _ in pairs]), False)
        self._held_texts: Tensor | None = None

    def hold_texts(self) -> None:
        """Embed the texts once for the whole training, if the language model is frozen.

        Before any weight is restored: new adapters add nothing (Hu et al. 2021, section 4.1), and
        trained ones would let the word loss move what speech is to come to.
        """
        language_model = self.model.language_model
        if language_model.frozen:
            language_model.eval()
            self._held_texts = language_model.embed_texts(self.texts)

    def forward(
        self, batch: Batch, losses: Losses, prompt: str, progress: float, word_share: float
    ) -> dict[str, Tensor]:
        """Losses of a batch at a `progress` of 0 to 1 through the stage.

        `word_share` divides the word loss: the valid tokens of the whole step.
        """
        heard = self.model.hear(batch.frames, batch.lengths)
        found: dict[str, Tensor] = {}
        if losses.word:
            found["word"] = self._word(heard, batch, prompt, word_share)
        if losses.contrast:
            found["contrast"] = self._contrast(heard, batch, losses)
        if losses.supervised_contrast:
            found["supervised_contrast"] = supervised_contrast(
                self.of_speech(heard.embedding),
                batch.emotions,
                batch.languages,
                batch.sources,
                losses.temperature,
                losses.language_weight,
                losses.source_weight,
            )
        if losses.adversary:
            strength = adversary_strength(progress, losses.adversary_cap)
            logits = self.speaker(reverse_gradient(heard.embedding, strength))
            found["adversary"] = class_loss(logits, batch.speakers)
        if losses.auxiliary:
            found["auxiliary"] = class_loss(self.auxiliary(heard.embedding), batch.emotions)
        total = sum(getattr(losses, name) * loss for name, loss in found.items())
        return {**found, "total": torch.as_tensor(total)}

    def word_tokens(self, emotions: Tensor) -> int:
        """Valid tokens of the emotion words of some rows [B]."""
        _, counted = self.model.language_model.words(self.labels)
        return int(counted.sum(dim=1)[emotions.cpu()].sum())

    def _word(self, heard: Heard, batch: Batch, prompt: str, word_share: float) -> Tensor:
        words, counted = self.model.language_model.words(self.labels)
        of_row = batch.emotions
        tokens = words.to(of_row.device)[of_row][:, None]
        mask = counted.to(of_row.device)[of_row][:, None]
        return word_loss(self.model.word_log_likelihood(heard, prompt, tokens, mask), word_share)

    def _contrast(self, heard: Heard, batch: Batch, losses: Losses) -> Tensor:
        texts = self._held_texts
        if texts is None:
            texts = self.model.language_model.embed_texts(self.texts)
        positives = batch.emotions[:, None] == self.emotion_of_text[None, :]
        return speech_text_contrast(
            self.of_speech(heard.embedding),
            self.of_text(texts.to(heard.embedding.dtype)),
            positives,
            losses.temperature,
        )
