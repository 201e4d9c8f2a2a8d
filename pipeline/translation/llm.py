"""Any chat model: it can be told the emotion, and asked to keep its force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from pipeline.languages import Language, language_name
from pipeline.needs import Price
from pipeline.pretrained.devices import Half
from pipeline.pretrained.named import ModelError, ModelName, Pretrained
from pipeline.pretrained.transformer import open_model, open_tokenizer
from pipeline.records import Failure
from pipeline.translation.base import Sentence, Translate, Translation, Translator
from pipeline.translation.generation import Tokens, generate_by_cap, positions, token_cap
from pipeline.translation.readable import readable_only

_PROMPT = (
    "Translate a line of spoken dialogue from {source} into {target}. The speaker is {emotion}. "
    "Keep the emotion and its force, the register, swear words and interjections: say what a "
    "native speaker of {target} would say aloud in that state, as briefly as the original. "
    "Answer with the translation alone, on one line, without quotation marks or comments.\n\n"
    "{text}"
)
_WORDIER = 2
"""Times the tokens that a translator may write; chat models split other languages finer."""
_THOUGHT_END = "</think>"
_QUOTES = ('""', "''", "“”", "„“", "„”", "‘’", "«»", "»«", "「」", "『』")


class Llm(Pretrained, Translator):
    """A chat model through transformers and its own chat template, greedy and so deterministic.

    Model card, licence and languages are those of the model that you name; the default's is
    https://huggingface.co/Qwen/Qwen2.5-7B-Instruct, Apache-2.0, more than 29 languages, paper: Qwen
    Team 2024, Qwen2.5 technical report, arXiv:2412.15115. A model that thinks first is asked not
    to, and what it thinks all the same is cut off.
    """

    half: ClassVar[Half] = "bfloat16"
    engine: Literal["llm"] = "llm"
    version: ClassVar[int] = 1
    price: ClassVar[Price] = Price("cuda", 0.3, "line", "assumed, of 8 billion parameters")
    model: ModelName = "Qwen/Qwen2.5-7B-Instruct"
    prompt: Annotated[str, Field(pattern=r"\{text\}")] = _PROMPT
    """What is asked; `{source}`, `{target}`, `{emotion}` and `{text}` are filled in."""
    tokens_per_batch: Annotated[int, Field(ge=1)] = 4096
    """Tokens of the questions that are answered at once, padding included."""

    def load(self) -> Translate:
        """Load the model and its tokenizer.

        Raises:
            ModelError: they can't be had, are not what was pinned, or have no chat template.
        """
        folder = self.folder()
        device, dtype = self.placement()
        tokenizer = open_tokenizer(folder, padding_side="left")
        if tokenizer.chat_template is None:
            raise ModelError(
                f"model: '{self.model}' has no chat template: name a model that was made to follow "
                "instructions"
            )
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        model = open_model("AutoModelForCausalLM", folder, device, dtype)
        return readable_only(_Running(self, model, tokenizer, device).translate)


@dataclass(frozen=True)
class _Running:
    settings: Llm
    model: Any
    tokenizer: Any
    device: str

    def translate(
        self, sentences: Sequence[Sentence], source: Language, target: Language
    ) -> list[Translation | Failure]:
        """Ask for each sentence by itself, many questions of like length at once."""
        questions = [self._question(one, source, target) for one in sentences]
        lengths = [len(self._encode(one.text)) for one in sentences]
        answers = generate_by_cap(
            self._generate,
            [self._encode(question) for question in questions],
            [_WORDIER * token_cap(length) for length in lengths],
            self.settings.tokens_per_batch,
            min(self.tokenizer.model_max_length, positions(self.model) // 2),
        )
        return [clean(one, sentence.text) for one, sentence in zip(answers, sentences, strict=True)]

    def _question(self, sentence: Sentence, source: Language, target: Language) -> str:
        filled = self.settings.prompt
        for name, value in (
            ("{source}", language_name(source)),
            ("{target}", language_name(target)),
            ("{emotion}", sentence.emotion),
            ("{text}", sentence.text),
        ):
            filled = filled.replace(name, value)
        template = self.tokenizer.apply_chat_template
        return str(
            template(
                [{"role": "user", "content": filled}],
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,
            )
        )

    def _encode(self, text: str) -> Tokens:
        ids: Tokens = self.tokenizer(text, add_special_tokens=False).input_ids
        return ids

    def _generate(self, batch: list[Tokens], cap: int) -> list[Translation | Failure]:
        import torch

        padded = self.tokenizer.pad({"input_ids": batch}, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            written = self.model.generate(
                **padded,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                repetition_penalty=1.0,
                max_new_tokens=cap,
                pad_token_id=self.tokenizer.pad_token_id,
            )
        answers = written[:, padded["input_ids"].shape[1] :].tolist()
        return [self._read(ids) for ids in answers]

    def _read(self, ids: Tokens) -> Translation:
        ends = self.model.generation_config.eos_token_id
        ended = not set(ids).isdisjoint(ends if isinstance(ends, list) else [ends])
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        return Translation(text.strip(), hit_length_cap=not ended)


def clean(answer: Translation | Failure, asked: str) -> Translation | Failure:
    """An answer without the model's thoughts and without quotation marks that `asked` has not.

    An answer that is no single line is a `Failure`: which of the lines to speak can't be known.
    """
    if isinstance(answer, Failure):
        return answer
    text = answer.text.rpartition(_THOUGHT_END)[2].strip()
    if text.startswith("<think"):
        return Failure("translate", "the model was still thinking when its answer had to end")
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        return Failure("translate", f"the model answered with {len(lines)} lines, not one: {text}")
    said = _unquoted(lines[0].strip(), asked.strip())
    if not any(map(str.isalnum, said)):
        return Failure("translate", f"the model answered without a letter: {answer.text[:40]!r}")
    return replace(answer, text=said)


def _unquoted(text: str, asked: str) -> str:
    if asked[:1] + asked[-1:] in _QUOTES or text[:1] + text[-1:] not in _QUOTES:
        return text
    inside = text[1:-1]
    return text if set(inside) & {text[0], text[-1]} else inside.strip()
