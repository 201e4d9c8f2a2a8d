"""The training recipe: the model, the data and both stages, as typed YAML.

Hyper-parameters of the paper could not be read; the defaults are assumed, from SECap
(arXiv 2312.10381) and SALMONN (arXiv 2310.13289) where nothing else is said.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from model.recipe.architecture import (
    AnyEncoder,
    AnyLlama,
    QFormerSettings,
    TinyLlama,
    WhisperEncoder,
)
from model.recipe.fields import Label, Name, Positive, Seed, Share, Weight
from model.recipe.sets import DataSettings
from pipeline.emotions import EMOTIONS
from pipeline.engine import Settings

SPEECH = "{speech}"
"""Where the clip stands in a prompt."""

LOSSES = ("word", "contrast", "supervised_contrast", "adversary", "auxiliary")
"""Those that `Losses` has a weight for, of the same name."""


class Losses(Settings):
    """Weight of each loss; 0 switches it off."""

    word: Weight = 1.0
    """Of the emotion's word after the prompt."""
    contrast: Weight = 0.0
    """Of speech against the texts of its pass."""
    supervised_contrast: Weight = 0.0
    """Of clips of an emotion against those of others."""
    adversary: Weight = 0.0
    """Of not knowing the speaker."""
    auxiliary: Weight = 0.0
    """Of a linear classifier on the clip's embedding."""
    temperature: Annotated[float, Field(gt=0)] = 0.07
    """Of both contrasts: the lower, the more the nearest count."""
    language_weight: Weight = 2.0
    """Of positives in another language; assumed."""
    source_weight: Weight = 1.0
    """Of positives that are the same utterance; assumed."""
    adversary_cap: Share = 0.4
    """The strength that the adversary reaches in the course of a stage."""

    @model_validator(mode="after")
    def _any(self) -> Self:
        # The adversary alone would teach nothing but not to know speakers.
        if not any(getattr(self, name) for name in LOSSES if name != "adversary"):
            raise ValueError("all losses are switched off: give one a weight above 0")
        return self


class Stage(Settings):
    """One stage of training."""

    name: Name
    """What the stage is called in its files and tables."""
    languages: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Whose rows are used (none: all)."""
    only: Literal["all", "human", "synthetic"] = "all"
    """Whose speech is used: people's, synthesizers' or both."""
    steps: Positive
    """Updates of the weights."""
    batch_size: Positive = 16
    """Rows of a process in one pass; a step has `accumulate` of them. A clip is contrasted with
    those of its own pass alone."""
    accumulate: Positive = 1
    """Passes whose gradients make one step."""
    paired: bool = False
    """Build batches of utterances in two languages, and of one speaker in several emotions."""
    learning_rate: Annotated[float, Field(gt=0)] = 3e-5
    """The highest, after the warm-up."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    """Steps in which the learning rate rises from 0."""
    weight_decay: Weight = 0.05
    """Of AdamW."""
    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    """Longest gradient of a step."""
    losses: Losses = Losses()
    """What the stage teaches."""


class Running(Settings):
    """How the training goes on. By rounding apart, no step depends on it; `validate_every` says
    after which steps the weights may become the best."""

    precision: Literal["no", "bf16"] = "no"
    """`bf16` computes in half precision, with weights in full."""
    gradient_checkpointing: bool = False
    """Compute the LLaMA's activations twice and keep none: less memory, slower."""
    shard: bool = False
    """Each of several processes holds its share of the frozen LLaMA, and gathers a layer when it is
    its turn (FSDP, Zhao et al. 2023): for a model that fills a GPU. One process holds it whole, and
    so do `m5ser evaluate` and, in the machine's memory, each of several while it loads."""
    validate_every: Positive = 100
    """Steps after which the model is held against the validation split."""
    save_every: Positive = 100
    """Steps after which a checkpoint is written."""
    keep: Positive = 2
    """Checkpoints that are kept, beside the best."""


class TrainingRecipe(Settings):
    """A model and its training, described whole; the sections stand in the order of the flow."""

    name: Name
    """What the model is called."""
    seed: Seed = 0
    """Of all that is drawn by chance."""
    data: DataSettings
    """What is trained on."""
    encoder: AnyEncoder = WhisperEncoder()
    """What hears a clip."""
    qformer: QFormerSettings = QFormerSettings()
    """What reads the encoder's frames."""
    language_model: AnyLlama
    """What names the emotion."""
    prompts: Annotated[tuple[str, ...], Field(min_length=1)] = (f"Speech: {SPEECH} Emotion:",)
    """Each is used in turn in training; their verdicts are averaged in use."""
    labels: Annotated[tuple[Label, ...], Field(min_length=2)] = EMOTIONS
    """The emotions that it tells apart."""
    shared_width: Positive = 256
    """Of the space in which speech and text are contrasted."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    """The stages of training, in their order."""
    running: Running = Running()
    """How the training goes on."""

    @property
    def encoder_layers(self) -> int:
        """K, the layers of the encoder that lie side by side in a frame."""
        mixed = self.encoder.layers if isinstance(self.encoder, WhisperEncoder) else None
        return len(mixed) if mixed else 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for prompt in self.prompts:
            if prompt.count(SPEECH) != 1:
                raise ValueError(f"prompts: '{prompt}' has no single {SPEECH}: write it once")
            if prompt.endswith(SPEECH):
                raise ValueError(f"prompts: '{prompt}' ends with the speech: put words behind it")
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("labels names an emotion more than once")
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError("stages: two have the same name")
        if self.running.shard and isinstance(self.language_model, TinyLlama):
            raise ValueError("running.shard: splits a frozen LLaMA; a tiny one is trained whole")
        return self
