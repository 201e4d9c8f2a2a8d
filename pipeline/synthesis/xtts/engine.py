"""The engine: texts and recordings go in, speech in the recordings' voices comes out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from pipeline.languages import Language
from pipeline.needs import Price
from pipeline.pretrained.batching import run_by_length
from pipeline.pretrained.named import ModelName, Pretrained, model_folder
from pipeline.records import Failure, Gender
from pipeline.synthesis.base import ConditionedOn, Speech, SpeechRequest, Synthesize, Synthesizer
from pipeline.synthesis.xtts.checkpoint import PICKLED, SAFE, load_xtts
from pipeline.synthesis.xtts.conditioning import Conditioner, Conditioning
from pipeline.synthesis.xtts.generation import Sampling, generate, prompt_of
from pipeline.synthesis.xtts.text import encode, pieces
from pipeline.synthesis.xtts.vocoder import clean_ends, join, vocode

_V2 = "coqui/XTTS-v2"
_LANGUAGES: frozenset[Language] = frozenset({
    "en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar", "zh", "hu", "ko", "ja",
    "hi",
})  # fmt: skip
"""Of `_V2`, as its config says."""

_CHARACTERS = 250
"""Of a text that is read at once in a language that has no number of its own: coqui-tts' own."""


class Xtts(Pretrained, Synthesizer):
    """XTTS v2 through coqui-tts (Casanova et al. 2024, Interspeech).

    Model card: https://huggingface.co/coqui/XTTS-v2; licence: Coqui Public Model License 1.0.0, for
    non-commercial use of the model and of what it makes. Languages: en es fr de it pt pl tr ru nl
    cs ar zh hu ko ja hi. It takes the voice, and some of the manner, of its reference: the source
    recording, or that and more of the same speaker and emotion. A text that is longer than XTTS
    reads well is spoken in pieces. Japanese needs the package cutlet and a dictionary beside
    coqui-tts: `pip install cutlet unidic-lite`. Digits are put into words by num2words, which can't
    in Hindi, nor ordinals in Czech: such texts fail. Its published weights are a pickle:
    `allow_pickle: true`.
    """

    engine: Literal["xtts"] = "xtts"
    version: ClassVar[int] = 2
    uses_gpu: ClassVar[bool] = True
    price: ClassVar[Price] = Price(
        "cuda", 0.25, "speech_s", "real-time factor unbatched (upstream, DeepSpeed)"
    )
    model: ModelName = _V2
    reference: Literal["source", "speaker_emotion"] = "source"
    """`source`: the line's own recording; `speaker_emotion`: also others of the same speaker and
    emotion, up to what the checkpoint listens to."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Of sampling; 0 is greedy (none: as the checkpoint's config says)."""
    longest_s: Annotated[float, Field(gt=0)] = 20.0
    """A piece of text that isn't finished by then is cut off, and its take marked."""
    batch_size: PositiveInt = 16
    """Pieces of text that are generated at a time; halved where memory runs out."""

    @property
    def languages(self) -> frozenset[Language] | None:
        """Those of the published model; another one's are in its config, and read on loading."""
        return _LANGUAGES if self.model == _V2 else None

    @property
    def conditioned_on(self) -> ConditionedOn:
        """The recordings that it asks for."""
        return self.reference

    @property
    def clones(self) -> bool:
        """It has no voices of its own."""
        return True

    def voice_for(self, speaker: str, gender: Gender, taken: Collection[str]) -> str:
        """The source speaker's own."""
        return speaker

    def folder(self) -> Path:
        """As `Pretrained.folder`, without the pickles that only training needs."""
        return model_folder(
            self.model, self.revision, self.allow_pickle, pickled=(PICKLED,), safe=SAFE
        )

    def load(self) -> Synthesize:
        """Load the model.

        Raises:
            ModelError: it can't be had, or is no XTTS.
            ModuleNotFoundError: coqui-tts is not installed.
        """
        model = load_xtts(self.folder(), *self.placement())
        return Reader(model, self._sampling(model), self.batch_size).read

    def _sampling(self, model: Any) -> Sampling:
        config = model.config
        tokens_s = config.audio.sample_rate / config.model_args.gpt_code_stride_len
        return Sampling(
            temperature=config.temperature if self.temperature is None else self.temperature,
            top_k=config.top_k,
            top_p=config.top_p,
            repetition_penalty=float(config.repetition_penalty),
            max_tokens=min(model.gpt.max_gen_mel_tokens, round(self.longest_s * tokens_s)),
        )


@dataclass(frozen=True)
class _Piece:
    """A part of a request's text, small enough to be read at once."""

    tokens: list[int]
    conditioning: Conditioning
    seed: int


class Reader:
    """Reads requests with a loaded model; what it has heard of a speaker it keeps."""

    def __init__(self, model: Any, sampling: Sampling, batch_size: int) -> None:
        self._model = model
        self._sampling = sampling
        self._batch_size = batch_size
        self._conditioner = Conditioner(model)

    def read(self, requests: Sequence[SpeechRequest]) -> list[Speech | Failure]:
        """An answer for each request.

        Raises:
            ModuleNotFoundError: a text is Japanese, and cutlet or its dictionary is not installed.
        """
        prepared = [self._pieces(request) for request in requests]
        flat = [one for pieces in prepared if not isinstance(pieces, Failure) for one in pieces]
        # Like lengths together, so that little of a batch is padding and its texts end together.
        order = sorted(range(len(flat)), key=lambda at: -len(flat[at].tokens))
        spoken = run_by_length(
            self._speak, [flat[at] for at in order], [1] * len(flat), self._batch_size, "synthesize"
        )
        answers = dict(zip(order, spoken, strict=True))
        ordered = iter([answers[at] for at in range(len(flat))])
        return [
            made if isinstance(made, Failure) else join([next(ordered) for _ in made])
            for made in prepared
        ]

    def _pieces(self, request: SpeechRequest) -> list[_Piece] | Failure:
        """What is to be generated for a request, or why it can't be."""
        tokenizer, config = self._model.tokenizer, self._model.config
        language = "zh-cn" if request.language == "zh" else request.language
        if language not in config.languages:
            known = ", ".join(config.languages)
            return Failure("synthesize", f"this xtts speaks {known}, and not {language}")
        limit = tokenizer.char_limits.get(request.language, _CHARACTERS)
        parts = pieces(request.text, limit)
        if not parts:
            error = f"text {request.text[:40]!r} can't be cut into pieces of {limit} characters"
            return Failure("synthesize", error)
        tokens = [self._encoded(part, request.language) for part in parts]
        errors = [one for one in tokens if isinstance(one, str)]
        if errors:
            return Failure("synthesize", errors[0])
        conditioning = self._conditioner(request.references)
        if isinstance(conditioning, Failure):
            return conditioning
        return [
            _Piece(ids, conditioning, request.seed + number)
            for number, ids in enumerate(tokens)
            if isinstance(ids, list)
        ]

    def _encoded(self, part: str, language: str) -> list[int] | str:
        """The tokens of a part, or why it has none that the model can read.

        Raises:
            ModuleNotFoundError: see `encode`.
        """
        tokens = encode(self._model.tokenizer, part, language)
        # Beside a mark for the start and one for the end.
        most = self._model.gpt.text_pos_embedding.emb.num_embeddings - 2
        if isinstance(tokens, str) or len(tokens) <= most:
            return tokens
        return (
            f"text {part[:40]!r} has {len(tokens)} tokens, and this xtts reads {most}: write "
            "numbers out or split the sentence"
        )

    def _speak(self, pieces: list[_Piece]) -> list[Speech | Failure]:
        import torch

        gpt, rate_hz = self._model.gpt, int(self._model.config.audio.output_sample_rate)
        with torch.inference_mode():
            prompts = [prompt_of(gpt, one.conditioning.latents, one.tokens) for one in pieces]
            spoken = generate(gpt, prompts, [one.seed for one in pieces], self._sampling)
            waves = [
                vocode(self._model, made.latents, piece.conditioning.speaker)
                for made, piece in zip(spoken, pieces, strict=True)
            ]
        return [
            Speech(clean_ends(wave, rate_hz), rate_hz, hit_length_cap=made.hit_length_cap)
            for wave, made in zip(waves, spoken, strict=True)
        ]
