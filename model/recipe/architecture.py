"""What a model is made of, as a training recipe says it: encoder, Q-Former, LLaMA."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from model.recipe.fields import Hash, Hidden, Positive, Revision, Seed
from pipeline.engine import Engine, Settings
from pipeline.whisper.checkpoint import BUNDLED, Device, Dtype
from pipeline.whisper.encoding import Window


def _refuse_indivisible(width: int, heads: int, unit: int) -> None:
    """Refuse a width that is no multiple of `unit`, the least that its heads can share."""
    if width % unit:
        raise ValueError(
            f"width {width} can't be shared by heads {heads}: make it a multiple of {unit}, as "
            f"{width - width % unit + unit}"
        )


class WhisperEncoder(Engine):
    """The frozen encoder of an openai-whisper checkpoint, by name or path."""

    engine: Literal["whisper"] = "whisper"
    model: Annotated[str, Field(min_length=1)] = "large-v3"
    """An openai-whisper name, or the path of a checkpoint."""
    sha256: Hash | None = None
    """Of the weights: others are refused (none: whichever are found)."""
    window: Window = "short"
    """`short` spends ten times less on a clip of 3 s than Whisper's own 30 s."""
    device: Device = "auto"
    """`auto`: CUDA where there is a GPU, else the CPU."""
    dtype: Dtype = "auto"
    """`auto`: half precision on CUDA, else float32."""
    layers: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] | None = None
    """Blocks whose outputs are mixed with learned weights, 0 what enters the first (none: only the
    last, as Whisper's decoder reads it). Early ones still hold prosody that a recogniser discards;
    the mix is SUPERB's (Yang et al. 2021, section 3)."""
    prosody: bool = False
    """Put the clip's measured prosody (F0, energy, rate, spectrum) beside each of its frames: for
    encoders and sets too small to learn it. It takes about 0.05 s a clip on a CPU."""

    @property
    def caveat(self) -> str | None:
        """What keeps its frames from standing for Whisper's, if anything does."""
        if self.model in BUNDLED:
            return "The encoder is no OpenAI Whisper: it was trained on espeak-ng's voices alone."
        return None


class RandomEncoder(Engine):
    """An untrained encoder of Whisper's architecture, made from its seed: no download.

    What it gives is a fixed random view of the log-mel, not what Whisper learned of speech.
    """

    engine: Literal["random"] = "random"
    width: Annotated[int, Field(ge=4)] = 192
    """Of a frame."""
    layers: Annotated[int, Field(ge=0)] = 1
    """Transformer blocks."""
    heads: Positive = 4
    """Attention heads of a block."""
    n_mels: Literal[80, 128] = 80
    """Bands of the log-mel that it reads."""
    seed: Seed = 0
    """Of its weights."""
    window: Window = "short"
    """As for `whisper`."""
    prosody: bool = False
    """As for `whisper`."""

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        # Half of a frame's positions are sines, half cosines.
        _refuse_indivisible(self.width, self.heads, math.lcm(2, self.heads))
        return self

    @property
    def caveat(self) -> str:
        """What keeps its frames from standing for Whisper's."""
        return "The encoder is random: it has Whisper's architecture and no trained weights."


AnyEncoder = Annotated[WhisperEncoder | RandomEncoder, Field(discriminator="engine")]


class QFormerSettings(Settings):
    """Learned queries that read the encoder's frames (Li et al. 2023, BLIP-2)."""

    queries: Positive = 32
    """Learned vectors that read the frames; each gives a vector of the prompt."""
    layers: Positive = 2
    """Transformer blocks."""
    width: Positive = 768
    """Of a query."""
    heads: Positive = 12
    """Attention heads of a block."""
    dropout: Hidden = 0.1
    """Share of values that a training step hides."""
    frame_dropout: Hidden = 0.0
    """Share of a clip's frames that a training step hides, as SpecAugment (Park et al. 2019)."""
    window_s: Annotated[float, Field(ge=0.1)] | None = None
    """Read windows of this length, each with all queries (SALMONN: 0.33 s and one query), and not
    the whole clip."""

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        _refuse_indivisible(self.width, self.heads, self.heads)
        return self


class Lora(Settings):
    """Low-rank adapters in the attention (Hu et al. 2021); values of SALMONN."""

    rank: Positive = 8
    """Of the matrices that are added."""
    alpha: Positive = 32
    """What is added counts `alpha / rank` times."""
    dropout: Hidden = 0.1
    """Share of an adapter's input that a training step hides."""
    modules: Annotated[tuple[str, ...], Field(min_length=1)] = ("q_proj", "v_proj")
    """Matrices of the LLaMA that get an adapter."""


class PretrainedLlama(Engine):
    """A LLaMA checkpoint of the Hub or a folder, frozen, with adapters where `lora` is given."""

    engine: Literal["pretrained"] = "pretrained"
    model: Annotated[str, Field(min_length=1)]
    """A model of the Hub, or a folder."""
    revision: Revision | None = None
    """The commit that is meant; a folder needs none."""
    lora: Lora | None = Lora()
    """Its adapters (null: none, it stays as it is)."""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Of its frozen weights."""

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.revision is None and not Path(self.model).is_dir():
            raise ValueError(
                f"revision is missing: '{self.model}' is no folder here, and on the Hub it may "
                "change; give the 40 digits of the commit that is meant"
            )
        return self


class TinyLlama(Engine):
    """A LLaMA of random weights over bytes, made on the spot and trained whole."""

    engine: Literal["tiny"] = "tiny"
    width: Positive = 128
    """Of a token."""
    layers: Positive = 2
    """Transformer blocks."""
    heads: Positive = 4
    """Attention heads of a block."""
    seed: Seed = 0
    """Of its weights."""

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        # Each head turns its values pair by pair.
        _refuse_indivisible(self.width, self.heads, 2 * self.heads)
        return self


AnyLlama = Annotated[PretrainedLlama | TinyLlama, Field(discriminator="engine")]
