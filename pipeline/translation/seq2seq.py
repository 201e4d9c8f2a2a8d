"""What the encoder-decoder translators of transformers have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from pipeline.languages import Language, language_name
from pipeline.pretrained.named import ModelError, OnDevice, Pretrained
from pipeline.pretrained.transformer import open_model, open_tokenizer
from pipeline.records import Failure
from pipeline.translation.base import Sentence, Translate, Translation, Translator
from pipeline.translation.generation import Tokens, generate_by_cap, positions, token_cap
from pipeline.translation.readable import readable_only


@dataclass(frozen=True)
class Steering:
    """How a model is told its target language: by words before the text, or by arguments."""

    prefix: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    silent: frozenset[int] = frozenset()
    """Ids of tokens that it then writes besides the text."""


class Seq2Seq(OnDevice, Translator):
    """An encoder-decoder of transformers; a subclass says how it is told the languages."""

    kind: ClassVar[str] = "AutoModelForSeq2SeqLM"
    """The class of transformers that holds the weights."""
    beams: Annotated[int, Field(ge=1, le=16)] = 4
    """Of the search; 1 is greedy: faster, and a little worse."""
    tokens_per_batch: Annotated[int, Field(ge=1)] = 4096
    """Source tokens that are translated at once, padding included."""

    def open(self, folder: Path) -> Running:
        """The model of a folder, ready to translate.

        Raises:
            ModelError: the folder doesn't hold such a model.
        """
        device, dtype = self.placement()
        model = open_model(self.kind, folder, device, dtype)
        return Running(self, model, open_tokenizer(folder), device)

    @abstractmethod
    def steer(self, tokenizer: Any, source: Language, target: Language) -> Steering:
        """Set the tokenizer to the source language, and say what asks for the target language.

        Raises:
            ModelError: the model doesn't know one of them.
        """


class Multilingual(Pretrained, Seq2Seq):
    """One model that translates between many languages."""

    def load(self) -> Translate:
        """Load the model and its tokenizer.

        Raises:
            ModelError: they can't be had, or are not what was pinned.
        """
        return readable_only(self.open(self.folder()).translate)


def token_id(tokenizer: Any, token: str, language: Language) -> int:
    """The id of a language's own token.

    Raises:
        ModelError: the model has no such token.
    """
    found = tokenizer.convert_tokens_to_ids(token)
    if found is None or found == tokenizer.unk_token_id:
        raise ModelError(
            f"languages: the translation's model has no token '{token}' for "
            f"{language_name(language)}; take the language out of the recipe, or name a model that "
            "has it"
        )
    return int(found)


@dataclass(frozen=True)
class Running:
    """A loaded model with its tokenizer."""

    settings: Seq2Seq
    model: Any
    tokenizer: Any
    device: str

    def translate(
        self, sentences: Sequence[Sentence], source: Language, target: Language
    ) -> list[Translation | Failure]:
        """Translate texts, those of like length together."""
        steering = self.settings.steer(self.tokenizer, source, target)
        encoded = [self.tokenizer(steering.prefix + one.text).input_ids for one in sentences]
        return generate_by_cap(
            partial(self._generate, steering),
            encoded,
            [min(token_cap(len(ids)), positions(self.model) - 1) for ids in encoded],
            self.settings.tokens_per_batch,
            min(self.tokenizer.model_max_length, positions(self.model)),
        )

    def _generate(
        self, steering: Steering, batch: list[Tokens], cap: int
    ) -> list[Translation | Failure]:
        import torch

        padded = self.tokenizer.pad({"input_ids": batch}, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            written = self.model.generate(
                input_ids=padded["input_ids"],
                attention_mask=padded["attention_mask"],
                do_sample=False,
                num_beams=self.settings.beams,
                max_new_tokens=cap,
                forced_eos_token_id=None,  # Marian's would end what was cut off as if it were whole
                **steering.arguments,
            )
        return [self._read(steering, ids) for ids in written.tolist()]

    def _read(self, steering: Steering, ids: Tokens) -> Translation | Failure:
        """The text of what the decoder wrote, whose first token was given to it.

        MADLAD's first token is the very `<unk>`.
        """
        if self.tokenizer.unk_token_id in ids[1:]:
            return Failure("translate", "the model wrote a sign that it can't spell (<unk>)")
        silent = steering.silent | set(self.tokenizer.all_special_ids)
        text = self.tokenizer.decode([one for one in ids if one not in silent])
        ended = self.tokenizer.eos_token_id in ids[1:]
        return Translation(text.strip(), hit_length_cap=not ended)
