"""SeamlessM4T v2: the English recording is spoken in another language, by the model's own words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from pipeline.audio import resample
from pipeline.languages import ABOUT, Language
from pipeline.needs import Price
from pipeline.pretrained.batching import run_by_length
from pipeline.pretrained.named import ModelName, Pretrained
from pipeline.pretrained.opening import sound_rate
from pipeline.pretrained.transformer import open_extractor, open_model, open_tokenizer
from pipeline.records import Failure, Gender
from pipeline.scripts import script_error
from pipeline.synthesis.base import ConditionedOn, Speech, SpeechRequest, Synthesize, Synthesizer
from pipeline.synthesis.choice import pick
from pipeline.synthesis.seamless_steps import encode, speak, write

if TYPE_CHECKING:
    from torch import Tensor

_RATE_HZ = 16_000
_SHORTEST_S = 0.1
"""Of a recording (assumed): a few frames of its features, which are 20 ms apart."""


_V2 = "facebook/seamless-m4t-v2-large"
_LANGUAGES: frozenset[Language] = frozenset({
    "ar", "bn", "ca", "cs", "cy", "da", "de", "en", "es", "et", "fa", "fi", "fr", "hi", "id", "it",
    "ja", "ko", "nl", "pl", "pt", "ro", "ru", "sk", "sv", "sw", "te", "th", "tl", "tr", "uk", "ur",
    "vi", "zh",
})  # fmt: skip
"""Of ours, those that `_V2` speaks (its documentation's table of languages, target "Sp")."""


class SeamlessSpeech(Pretrained, Synthesizer):
    """SeamlessM4T v2 from speech to speech through transformers.

    Model card: https://huggingface.co/facebook/seamless-m4t-v2-large. Licence: CC-BY-NC-4.0. Speaks
    36 languages. Paper: Seamless Communication 2023, Seamless: multilingual expressive and
    streaming speech translation, arXiv:2312.05187.

    It hears the recording and translates it itself; the line's text is what the take is meant to
    say, and the `whisper` judge measures how far it does. It keeps neither voice nor emotion (that
    is SeamlessExpressive, see `command`): its voices are its vocoder's, and prosody transfer brings
    the emotion. Without a recording, it reads the line's text. Decoding is greedy; a seed changes
    nothing. Texts are written in batches (`seamless_steps` says what is not, and why).
    """

    engine: Literal["seamless"] = "seamless"
    version: ClassVar[int] = 2
    price: ClassVar[Price] = Price("cuda", 0.25, "speech_s", "as XTTS (assumed)")
    deterministic: ClassVar[bool] = True
    model: ModelName = _V2
    speakers: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = tuple(range(20))
    """Numbers of the vocoder's speakers to choose from."""
    longest_tokens: PositiveInt = 256
    """Text tokens after which a translation is cut off, and its take marked."""
    batch_size: PositiveInt = 16
    """Texts that are written at a time, of the longest; halved where memory runs out."""

    @property
    def languages(self) -> frozenset[Language] | None:
        """Those of the published model; another one's are known once it is loaded."""
        return _LANGUAGES if self.model == _V2 else None

    @property
    def conditioned_on(self) -> ConditionedOn:
        """It translates the recording."""
        return "source"

    def voice_for(self, speaker: str, gender: Gender, taken: Collection[str]) -> str:
        """One of the vocoder's speakers, whose genders are not published."""
        return pick([f"speaker-{number}" for number in self.speakers], speaker, taken)

    def load(self) -> Synthesize:
        """Load the model.

        Raises:
            ModelError: it can't be had, or is no SeamlessM4T v2.
            ModuleNotFoundError: transformers is not installed.
        """
        folder = self.folder()
        model = open_model("SeamlessM4Tv2Model", folder, *self.placement())
        sound_rate(folder, model.config.sampling_rate)
        inputs = _Inputs(open_tokenizer(folder), folder)

        def synthesize(requests: Sequence[SpeechRequest]) -> list[Speech | Failure]:
            lengths = [_length(request) for request in requests]
            budget = self.batch_size * max(lengths, default=1)
            run = partial(self._speak, model, inputs)
            return run_by_length(run, requests, lengths, budget, "synthesize")

        return synthesize

    def _speak(
        self, model: Any, inputs: _Inputs, requests: list[SpeechRequest]
    ) -> list[Speech | Failure]:
        import torch

        faults = [_fault(request) for request in requests]
        heard = [one for one, fault in zip(requests, faults, strict=True) if fault is None]
        made: Iterator[Speech | Failure] = iter(())
        if heard:
            with torch.inference_mode():
                frames = [encode(model, inputs.of(one, model)) for one in heard]
                languages = [ABOUT[one.language].iso639_3 for one in heard]
                texts = write(model, frames, languages, self.longest_tokens)
                made = iter(
                    [self._said(model, *one) for one in zip(heard, frames, texts, strict=True)]
                )
        return [Failure("synthesize", fault) if fault else next(made) for fault in faults]

    def _said(
        self, model: Any, request: SpeechRequest, frames: Tensor, tokens: Tensor
    ) -> Speech | Failure:
        speaker = int(request.voice.removeprefix("speaker-"))
        samples = speak(model, frames, tokens, ABOUT[request.language].iso639_3, speaker)
        if not len(samples):
            return Failure("synthesize", "seamless found nothing to say")
        capped = int(tokens[-1]) != model.generation_config.eos_token_id
        wave = samples.float().cpu().numpy()
        return Speech(wave, model.config.sampling_rate, hit_length_cap=capped)


def _length(request: SpeechRequest) -> int:
    """Of what is encoded: frames of 10 ms, or characters."""
    if request.references:
        return round(request.references[0].duration_s * 100)
    return len(request.text)


def _fault(request: SpeechRequest) -> str | None:
    """Why a recording can't be heard or, without one, the text can't be read; None if it can."""
    if not request.references:
        return script_error(request.text, request.language)
    heard_s = request.references[0].duration_s
    if heard_s < _SHORTEST_S:
        return f"the recording lasts {heard_s:.3f} s and seamless needs {_SHORTEST_S:g} s"
    return None


class _Inputs:
    """What the model is given: the features of a recording, or the tokens of a text."""

    def __init__(self, tokenizer: Any, folder: Path) -> None:
        self._tokenizer = tokenizer
        self._features = open_extractor(folder)

    def of(self, request: SpeechRequest, model: Any) -> dict[str, Any]:
        """Arguments of `generate`."""
        if request.references:
            clip = request.references[0]
            samples = resample(clip.samples, clip.sampling_rate, _RATE_HZ)
            made = self._features(samples, sampling_rate=_RATE_HZ, return_tensors="pt")
            features = made["input_features"].to(model.device, model.dtype)
            return {
                "input_features": features,
                "attention_mask": made["attention_mask"].to(model.device),
            }
        self._tokenizer.src_lang = ABOUT[request.language].iso639_3
        made = self._tokenizer(request.text, return_tensors="pt")
        return {"input_ids": made["input_ids"].to(model.device)}
