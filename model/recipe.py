"""The training recipe: the model, the data and both stages, as typed YAML.

Hyper-parameters of the paper could not be read; the defaults are assumed, from SECap
(arXiv 2312.10381) and SALMONN (arXiv 2310.13289) where nothing else is said.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.corpora.any import AnyCorpus
from pipeline.emotions import EMOTIONS
from pipeline.engine import Engine, Settings
from pipeline.whisper.checkpoint import BUNDLED, Device, Dtype
from pipeline.whisper.encoding import Window

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Positive = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Hidden = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Revision = Annotated[str, Field(pattern="^[0-9a-f]{40}$")]
Label = Annotated[str, Field(pattern=r"\S")]
SPEECH = "{speech}"


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


class FolderSet(Settings):
    """A dataset folder that `m5ser build` wrote."""

    engine: Literal["folder"] = "folder"
    """Which kind of set it is."""
    path: Annotated[str, Field(min_length=1)]
    """The dataset folder."""
    rejects: Literal["none", "spare", "all"] = "none"
    """Train also on rejected takes of the utterances that train: on those that passed every gate
    but were not their line's best, or on all."""

    @property
    def title(self) -> str:
        """What a model card calls it."""
        return Path(self.path).name


class HubSet(Settings):
    """Any set that `datasets` reads: a Hub id, pinned by its revision, or a local folder."""

    engine: Literal["datasets"] = "datasets"
    """Which kind of set it is."""
    name: Annotated[str, Field(min_length=1)]
    """Its id on the Hub, as org/name, or a local folder."""
    revision: Revision | None = None
    """The commit that is meant: a branch or tag may move while its clips lie in the cache."""
    config: str | None = None
    """The set's configuration (none: its default)."""
    audio: str = "audio"
    """Column of the audio."""
    label: str = "emotion"
    """Column of the emotion."""
    language: str = "language"
    """Column of the language, or `=xx` where all rows are of one."""
    speaker: str | None = "speaker_id"
    """Column of the speaker (null: the set names none)."""
    source: str | None = "source_id"
    """Column of the sentence that rows share (null: the set names none)."""
    splits: dict[Literal["train", "validation", "test"], str] = {
        "train": "train",
        "validation": "validation",
        "test": "test",
    }
    """Our splits and what the set calls them; one left out is empty."""
    labels: dict[str, str] = {name: name for name in EMOTIONS}
    """The set's labels and the emotion of each; rows of others are dropped with a count."""

    @property
    def title(self) -> str:
        """What a model card calls it."""
        folder = Path(self.name)
        return folder.name if folder.exists() else self.name


class CorpusSet(Settings):
    """Human recordings where they lie: a corpus of the data path, of which nothing is copied.

    A recording and the takes that were made of it are positives of each other, and its speaker is
    theirs.
    """

    engine: Literal["corpus"] = "corpus"
    """Which kind of set it is."""
    corpus: AnyCorpus
    """The corpus, as in a recipe of a set."""
    language: Annotated[str, Field(min_length=2)] = "en"
    """What is spoken in it (BCP-47)."""
    like: Annotated[str, Field(min_length=1)] | None = None
    """A dataset folder that was built of it: a recording is of its takes' split, and one without
    takes is left out (none: all are of `split`)."""
    split: Literal["train", "validation", "test"] = "train"
    """Of all its recordings, where `like` is not given."""

    @property
    def title(self) -> str:
        """What a model card calls it."""
        names = [one.model_dump()["engine"] for one in self.corpus.members]
        return f"recordings of {', '.join(names)}"


AnySet = Annotated[FolderSet | HubSet | CorpusSet, Field(discriminator="engine")]


class DataSettings(Settings):
    """What is trained on, and how it lies on disk."""

    sets: Annotated[tuple[AnySet, ...], Field(min_length=1)]
    """What is trained on, all of it together."""
    cache: Literal["frames", "audio"] = "frames"
    """`frames`: Whisper runs once a clip; `audio`: at every step, in a tenth of the disk space."""
    speeds: Annotated[tuple[Annotated[float, Field(ge=0.5, le=2)], ...], Field(min_length=1)] = (
        1.0,
    )
    """Each training clip is played at all of these, pitch and all, and counts as other speakers'
    (Ko et al. 2015): where there are few speakers, it teaches what does not depend on them."""
    longest_s: Annotated[float, Field(gt=0)] = 30.0
    """Of longer clips the first so many seconds are used."""
    most_unusable: Share = 0.05
    """Share of rows whose audio may be unusable; those of other labels are dropped and counted."""


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
