"""Is this the sentence, in this language, completely spoken? What Whisper hears of a take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from pipeline.engine import Settings
from pipeline.judges.base import (
    Answer,
    Judge,
    JudgeBatch,
    JudgeContext,
    JudgeItem,
    Measured,
    Scores,
)
from pipeline.judges.listening import AGREEMENT, OWN, Heard, Listener
from pipeline.judges.speech import Speech
from pipeline.judges.usable import usable_only
from pipeline.languages import Language
from pipeline.needs import Lack, Price
from pipeline.pretrained.named import ModelName
from pipeline.records import Failure
from pipeline.whisper.checkpoint import (
    BUNDLED,
    Device,
    Dtype,
    lacking_checkpoint,
    load_checkpoint,
    pinned_sha256,
)
from pipeline.whisper.encoding import Window

_LEAST_SPEECH_S = 0.1
_SCORES = {
    "transcribed": "1 if there was speech to transcribe, else 0",
    **AGREEMENT,
    **OWN,
}
_BUNDLED_PRICE = Price("cpu", 0.03, "speech_s", "assumed, of one core")
_BORDERLINE_SHARE = 0.2
"""Of the takes, that a second Whisper hears (assumed)."""

Hear = Callable[[list[JudgeItem]], "list[Heard | Failure]"]

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Borderline(Settings):
    """A larger Whisper for the takes whose error rate by the first lies near the gate."""

    model: ModelName = "large-v3"
    """As the judge's own."""
    sha256: Sha256 | None = None
    """Of its weights."""
    score: Literal["cer", "wer"] = "cer"
    """Which of the first one's error rates decides whether it is asked."""
    between: tuple[float, float] = (0.1, 0.4)
    """It is asked from the lower to the upper of these, both included."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.between
        if not 0 <= low < high:
            raise ValueError(f"between [{low:g}, {high:g}]: the limits go up, from 0 at the lowest")
        return self

    def holds(self, scores: Scores) -> bool:
        """Whether a take is to be heard again; one without a transcript is not."""
        low, high = self.between
        return scores["transcribed"] == 1 and low <= scores[self.score] <= high


class Whisper(Judge):
    """openai-whisper with the wanted language forced (Radford et al. 2022).

    https://github.com/openai/whisper, MIT, 99 languages; `small-espeak` is m5ser's own
    (data_cards/whisper-small-espeak.md, Apache-2.0, six languages in espeak-ng's voices alone).

    `cer`, `wer`, `missing_start`, `missing_end`, `repetition`: the transcript against the wanted
    text (`pipeline.judges.agreement`). `average_log_probability` and `compression_ratio` are
    Whisper's own; below -1.0 and above 2.4 it distrusts itself. `text_log_probability`: the mean
    that the model gives the wanted text's own tokens; unlike `cer` it forgives spellings that
    sound alike (compare the goodness of pronunciation, Witt and Young 2000). It is NaN, which no
    gate passes, of a take longer than a window: 30 s, and 8 s of `small-espeak`.
    `language_audio_probability`: of the wanted language among the recipe's, asked apart from the
    transcript. A take with less than 0.1 s of speech (`Speech`) is not transcribed, because Whisper
    invents words in silence: `transcribed` is 0, its text counts as wholly missing, and what has no
    value is NaN.

    With `borderline`, a second model hears the takes near the gate. Of these the transcript and its
    five error rates are the second's, and `heard_twice` is 1; `first_cer` (or `first_wer`) is what
    the first found.
    All else stays the first's on every take, because two models' probabilities have no one scale.
    """

    engine: Literal["whisper"] = "whisper"
    version: ClassVar[int] = 6
    checks: ClassVar[str] = "whether the clip says its text, all of it, in its language (Whisper)"
    measures: ClassVar[frozenset[Measured]] = frozenset({"transcript"})
    transcribes: ClassVar[bool] = True
    wheels: ClassVar[tuple[str, ...]] = ("silero-vad",)
    uses_gpu: ClassVar[bool] = True
    price: ClassVar[Price] = Price(
        "cuda", 0.022, "speech_s", "46 times real time (large-v2, RTX 3070 Ti)"
    )
    needs_languages: ClassVar[bool] = True
    model: ModelName = "large-v3-turbo"
    """An openai-whisper name, or the path of a checkpoint (.pt, or .safetensors with .json)."""
    sha256: Sha256 | None = None
    """Of the weights: other weights are refused (none: whichever are found)."""
    window: Window = "full"
    """`full`: the transcript is exactly Whisper's; `short`: several times faster, for models that
    learned in such windows, as small-espeak did. Others may write a text again and again in them
    (reported for whisper.cpp's `-ac`, ggml-org/whisper.cpp issue 1951)."""
    batch_size: Annotated[int, Field(ge=1, le=1024)] = 16
    """Takes that are heard at a time."""
    device: Device = "auto"
    """`auto`: CUDA where there is a GPU, else the CPU."""
    dtype: Dtype = "auto"
    """Of the matrices: float16 on CUDA, else float32."""
    language_temperature: Annotated[float, Field(gt=0)] = 1.0
    """Calibrates `language_audio_probability`; 1 is Whisper's own softmax."""
    borderline: Borderline | None = None
    """A second model for takes near the gate (none: the first decides alone)."""

    @property
    def scores(self) -> Mapping[str, str]:
        """What it writes; two more with a second model."""
        if self.borderline is None:
            return _SCORES
        score = self.borderline.score
        first = {f"first_{score}": f"`{score}` by the first of two models"}
        return {**_SCORES, **first, "heard_twice": "1 if the second model heard it too, else 0"}

    @property
    def languages(self) -> frozenset[Language] | None:
        """Those of a bundled model; Whisper's own know all of ours."""
        return frozenset(BUNDLED[self.model]) if self.model in BUNDLED else None

    def prices(self) -> Mapping[str, Price]:
        """What its model costs by others' reports, and the second one on the takes it hears."""
        found = {self.title: _BUNDLED_PRICE if self.model in BUNDLED else self.price}
        if self.borderline is not None:
            source = f"{self.price.source}, of {_BORDERLINE_SHARE:.0%} of the takes (assumed)"
            seconds = self.price.seconds * _BORDERLINE_SHARE
            name = f"{self.borderline.model} for the borderline"
            found[name] = self.price._replace(seconds=seconds, source=source)
        return found

    def lacks(self) -> Iterator[Lack]:
        """The weights of one or both models."""
        yield from lacking_checkpoint(self.model)
        if self.borderline is not None:
            yield from lacking_checkpoint(self.borderline.model)

    def pinned(self) -> Self:
        """The same settings with the weights' hashes filled in, for the resolved recipe.

        Raises:
            CheckpointError: a `model` is neither a file nor a known name.
        """
        found: dict[str, object] = {"sha256": self.sha256 or pinned_sha256(self.model)}
        if second := self.borderline:
            sha256 = second.sha256 or pinned_sha256(second.model)
            found["borderline"] = second.model_copy(update={"sha256": sha256})
        return self.model_copy(update=found)

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Load the checkpoint, and the voice activity detector that comes first.

        The second model is loaded when the first take asks for it.

        Raises:
            CheckpointError: the weights can't be had, or are not those that were pinned.
            ValueError: the model doesn't know a language of the recipe.
        """
        hear: Hear = partial(_where_spoken, self.listener(context), Speech().load(context))
        if self.borderline is not None:
            name, sha256 = self.borderline.model, self.borderline.sha256
            alike = self.model_copy(update={"model": name, "sha256": sha256})
            second = cache(partial(alike.listener, context))
            hear = _heard_again(hear, second, self.borderline)
        return usable_only(lambda items: [_answer(heard) for heard in hear(items)])

    def listener(self, context: JudgeContext) -> Listener:
        """Load the first model alone.

        Raises:
            CheckpointError, ValueError: as `load`.
        """
        checkpoint = load_checkpoint(self.model, self.sha256, self.device, self.dtype)
        return Listener(
            checkpoint,
            context.languages,
            self.window,
            self.batch_size,
            self.language_temperature,
        )


def _answer(heard: Heard | Failure) -> Answer | Failure:
    if isinstance(heard, Failure):
        return heard
    words = {} if heard.transcript is None else {"transcript": heard.transcript}
    return {**heard.scores, **words}


def _where_spoken(
    listener: Listener, speech: JudgeBatch, items: list[JudgeItem]
) -> list[Heard | Failure]:
    """Listen where there is speech; a take that the detector fails on is not taken for silent."""
    found = speech(items)
    spoken = [
        isinstance(one, Failure) or float(one["speech_s"]) >= _LEAST_SPEECH_S for one in found
    ]
    return listener.hear(items, spoken)


def _heard_again(hear: Hear, second: Callable[[], Listener], borderline: Borderline) -> Hear:
    """What the first model heard, and in the place of some of it what the second did."""

    def both(items: list[JudgeItem]) -> list[Heard | Failure]:
        heard = hear(items)
        near = [
            at
            for at, own in enumerate(heard)
            if isinstance(own, Heard) and borderline.holds(own.scores)
        ]
        again = second().hear([items[at] for at in near], [True] * len(near)) if near else []
        by_place = dict(zip(near, again, strict=True))
        return [_decided(own, by_place.get(at), borderline) for at, own in enumerate(heard)]

    return both


def _decided(
    first: Heard | Failure, second: Heard | Failure | None, borderline: Borderline
) -> Heard | Failure:
    """What both heard of a take; the first alone where the second was not asked."""
    if isinstance(first, Failure):
        return first
    if isinstance(second, Failure):
        return second
    rates = {} if second is None else {name: second.scores[name] for name in AGREEMENT}
    scores = {
        **first.scores,
        **rates,
        f"first_{borderline.score}": first.scores[borderline.score],
        "heard_twice": float(second is not None),
    }
    return Heard(scores, (second or first).transcript)
