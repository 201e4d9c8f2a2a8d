"""The engine: a VITS for each language, loaded when its language first comes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt

from pipeline.engine import digest
from pipeline.languages import Language
from pipeline.needs import Lack, Price
from pipeline.pretrained.batching import run_by_length
from pipeline.pretrained.devices import resolve
from pipeline.pretrained.named import (
    ModelError,
    ModelName,
    OnDevice,
    Revision,
    is_content_hash,
    model_folder,
    pinned_revision,
)
from pipeline.pretrained.opening import read_config
from pipeline.pretrained.present import lacking_model
from pipeline.records import Failure, Gender
from pipeline.synthesis.base import Speech, SpeechRequest, Synthesize, Synthesizer
from pipeline.synthesis.choice import pick
from pipeline.synthesis.vits.parts import Steps, Text, UnknownLetters, speak


class Vits(OnDevice, Synthesizer):
    """VITS (Kim, Kong and Son 2021, ICML): fast, of fixed voices, one model for each language.

    Through transformers: MMS-TTS (Pratap et al. 2024), model cards
    https://huggingface.co/facebook/mms-tts-deu and so on, CC-BY-NC-4.0, over 1100 languages by
    ISO 639-3 code; through coqui-tts: folders with config.json and weights. The licence is each
    model's own. They are read in float32 whatever `dtype` says: the flows lose too much in half
    precision. VITS has no emotion of its own: prosody transfer brings it.
    """

    engine: Literal["vits"] = "vits"
    version: ClassVar[int] = 3
    price: ClassVar[Price] = Price(
        "cuda", 0.015, "speech_s", "67 times real time (Kim et al. 2021)"
    )
    model: Annotated[dict[Language, ModelName], Field(min_length=1)]
    """For each language a name on the Hub, or the path of a folder."""
    revisions: dict[Language, Revision] = {}
    """Of each model, as in `Pretrained.revision`."""
    speakers: tuple[NonNegativeInt, ...] = ()
    """Numbers of the speakers to choose from, in models that have several (none: the first)."""
    longest_s: Annotated[float, Field(gt=0)] = 30.0
    """Speech is cut off here, and its take marked."""
    batch_size: PositiveInt = 16
    """Texts that are spoken at a time."""

    @property
    def languages(self) -> frozenset[Language]:
        """Those that it has a model for."""
        return frozenset(self.model)

    def lacks(self) -> Iterator[Lack]:
        """Also the weights of each language's model."""
        yield from super().lacks()
        for language, name in self.model.items():
            yield from lacking_model(name, self.revisions.get(language))

    def pinned(self) -> Self:
        """The same settings with the revision of each model.

        Raises:
            ModelError: a model or its revision can't be found.
        """
        found = {
            language: pinned_revision(name, self.revisions.get(language))
            for language, name in self.model.items()
        }
        return self.model_copy(update={"revisions": found})

    def fingerprint(self) -> str:
        """Hash of the settings; of pinned folders the contents count and not their place."""
        fields = self.model_dump(mode="json")
        for language, revision in self.revisions.items():
            if is_content_hash(revision):
                fields["model"].pop(language, None)
        return digest(type(self).__name__, self.version, fields)

    def fingerprint_for(self, language: Language) -> str:
        """Hash of the settings with that language's model alone."""
        model = {name: of for name, of in self.model.items() if name == language}
        revisions = {name: of for name, of in self.revisions.items() if name == language}
        return self.model_copy(update={"model": model, "revisions": revisions}).fingerprint()

    def voice_for(self, speaker: str, gender: Gender, taken: Collection[str]) -> str:
        """One of the speakers, whose genders are not known here."""
        return pick([f"speaker-{number}" for number in self.speakers or (0,)], speaker, taken)

    def load(self) -> Synthesize:
        """Open nothing yet; a language's model is loaded when it is first needed.

        Raises:
            ModelError: when it is needed, that it can't be had, or is no VITS.
        """
        opened = cache(self._open)

        def synthesize(requests: Sequence[SpeechRequest]) -> list[Speech | Failure]:
            answers: dict[int, Speech | Failure] = {}
            for language in dict.fromkeys(request.language for request in requests):
                places = [at for at, one in enumerate(requests) if one.language == language]
                of_one = [requests[at] for at in places]
                if language in self.model:
                    spoken = self._speak(opened(language), of_one)
                else:
                    spoken = [Failure("synthesize", f"synthesis.model has none for {language!r}")]
                    spoken *= len(of_one)
                answers.update(zip(places, spoken, strict=True))
            return [answers[at] for at in range(len(requests))]

        return synthesize

    def _open(self, language: Language) -> Steps:
        name, revision = self.model[language], self.revisions.get(language)
        folder = model_folder(name, revision, self.allow_pickle)
        device, _ = resolve(self.device, "float32")
        config = read_config(folder) if (folder / "config.json").is_file() else {}
        if config.get("model_type") == "vits":
            from pipeline.synthesis.vits.of_transformers import TransformersVits

            return TransformersVits(folder, device, language)
        if config.get("model") == "vits":
            from pipeline.synthesis.vits.of_coqui import CoquiVits

            return CoquiVits(folder, device)
        raise ModelError(f"synthesis.model.{language}: '{name}' has no config.json of a VITS")

    def _speak(self, vits: Steps, requests: list[SpeechRequest]) -> list[Speech | Failure]:
        texts = [_text(vits, request) for request in requests]
        good = [text for text in texts if isinstance(text, Text)]
        lengths = [len(text.tokens) for text in good]
        budget = self.batch_size * max(lengths, default=1)
        longest = round(self.longest_s / vits.frame_s)

        def run(batch: list[Text]) -> list[Speech]:
            import torch

            with torch.inference_mode():
                return [
                    Speech(wave.cpu().numpy(), vits.rate_hz, hit_length_cap=capped)
                    for wave, capped in speak(vits, batch, longest)
                ]

        spoken = iter(run_by_length(run, good, lengths, budget, "synthesize"))
        return [text if isinstance(text, Failure) else next(spoken) for text in texts]


def _text(vits: Steps, request: SpeechRequest) -> Text | Failure:
    speaker = int(request.voice.removeprefix("speaker-"))
    if speaker >= vits.speakers:
        error = f"synthesis.speakers: {speaker} is not below {vits.speakers}, what the model has"
        return Failure("synthesize", f"{error} for {request.language!r}")
    try:
        tokens = vits.tokens(request.text)
    except UnknownLetters as letters:
        said = f"text {request.text[:40]!r} has letters that this vits can't read: {letters}"
        return Failure("synthesize", said)
    if not tokens:
        said = f"text {request.text[:40]!r} has nothing in it that this vits can read"
        return Failure("synthesize", said)
    return Text(tokens, speaker, request.seed)
