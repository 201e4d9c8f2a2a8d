"""SeamlessM4T v2: the English recording is spoken in another language, by the model's own words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from pipeline.audio import resample
from pipeline.pretrained.batching import halving
from pipeline.pretrained.named import ModelName, Pretrained
from pipeline.pretrained.transformer import open_model, open_tokenizer
from pipeline.records import Failure, Gender
from pipeline.synthesis.base import ConditionedOn, Speech, SpeechRequest, Synthesize, Synthesizer
from pipeline.synthesis.choice import pick
from pipeline.translation.seamless import CODES

_RATE_HZ = 16_000
_SHORTEST_S = 0.1
"""Of a recording (assumed): a few frames of its features, which are 20 ms apart."""


class SeamlessSpeech(Pretrained, Synthesizer):
    """SeamlessM4T v2 from speech to speech through transformers.

    Model card: https://huggingface.co/facebook/seamless-m4t-v2-large. Licence: CC-BY-NC-4.0. Speaks
    36 languages. Paper: Seamless Communication 2023, Seamless: multilingual expressive and
    streaming speech translation, arXiv:2312.05187.

    It hears the recording and translates it itself; the line's text is what the take is meant to
    say, and the `whisper` judge measures how far it does. It keeps neither voice nor emotion (that
    is SeamlessExpressive, see `command`): its voices are its vocoder's, and prosody transfer brings
    the emotion. Without a recording, it reads the line's text. Decoding is greedy; a seed changes
    nothing.
    """

    engine: Literal["seamless"] = "seamless"
    version: ClassVar[int] = 1
    deterministic: ClassVar[bool] = True
    model: ModelName = "facebook/seamless-m4t-v2-large"
    speakers: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = tuple(range(20))
    """Numbers of the vocoder's speakers to choose from."""
    longest_tokens: PositiveInt = 256
    """Text tokens after which a translation is cut off, and its take marked."""

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
        inputs = _Inputs(open_tokenizer(folder), folder)

        def synthesize(requests: Sequence[SpeechRequest]) -> list[Speech | Failure]:
            # One at a time: of a batch, transformers' generate cuts the end mark off the longest
            # text only, and the others' would be spoken.
            return [
                answer
                for request in requests
                for answer in halving(partial(self._speak, model, inputs), [request], "synthesize")
            ]

        return synthesize

    def _speak(
        self, model: Any, inputs: _Inputs, requests: list[SpeechRequest]
    ) -> list[Speech | Failure]:
        import torch

        (request,) = requests
        heard_s = sum(clip.duration_s for clip in request.references[:1])
        if request.references and heard_s < _SHORTEST_S:
            error = f"the recording lasts {heard_s:.3f} s and seamless needs {_SHORTEST_S:g} s"
            return [Failure("synthesize", error)]
        with torch.inference_mode():
            made = model.generate(
                **inputs.of(request, model),
                tgt_lang=CODES[request.language],
                speaker_id=int(request.voice.removeprefix("speaker-")),
                return_intermediate_token_ids=True,
                text_num_beams=1,
                text_do_sample=False,
                text_max_new_tokens=self.longest_tokens,
            )
        samples = made.waveform.flatten()[: int(made.waveform_lengths)].float().cpu().numpy()
        if not len(samples):
            return [Failure("synthesize", "seamless found nothing to say")]
        ended = model.generation_config.eos_token_id in made.sequences[0, 2:].tolist()
        return [Speech(samples, model.config.sampling_rate, hit_length_cap=not ended)]


class _Inputs:
    """What the model is given: the features of a recording, or the tokens of a text."""

    def __init__(self, tokenizer: Any, folder: Path) -> None:
        from transformers import AutoFeatureExtractor

        self._tokenizer = tokenizer
        opener: Any = AutoFeatureExtractor.from_pretrained
        self._features = opener(folder, local_files_only=True)

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
        self._tokenizer.src_lang = CODES[request.language]
        made = self._tokenizer(request.text, return_tensors="pt")
        return {"input_ids": made["input_ids"].to(model.device)}
