"""What openai-whisper's greedy decoding obeys, asked of it and not copied.

`whisper.decode(temperature=0, without_timestamps=True)` defines the judge's transcript.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whisper.model import Whisper
    from whisper.tokenizer import Tokenizer

_CODES: Mapping[str, str] = {"nb": "no"}
"""Where Whisper doesn't name a language as BCP-47 does."""


@dataclass(frozen=True)
class Rules:
    """Greedy decoding in one `language`.

    `prompt` opens every sequence; `suppressed` are never chosen, `blank` not as the first token
    (SuppressBlank, SuppressTokens); at most `max_tokens` are chosen; `eot` ends the sequence.
    """

    language: str
    tokenizer: Tokenizer
    prompt: tuple[int, ...]
    suppressed: tuple[int, ...]
    blank: tuple[int, ...]
    eot: int
    max_tokens: int


def greedy_rules(model: Whisper, language: str) -> Rules:
    """The rules that `whisper.decode` would follow for this model and language.

    Raises:
        ValueError: Whisper, or this English-only model, doesn't know the language.
    """
    from whisper.decoding import DecodingOptions, DecodingTask

    check_language(model, language)
    code = _CODES.get(language, language)
    options = DecodingOptions(language=code, without_timestamps=True, fp16=False)
    task = DecodingTask(model, options)
    tokenizer = task.tokenizer
    return Rules(
        language=language,
        tokenizer=tokenizer,
        prompt=tuple(task.initial_tokens),
        suppressed=task._get_suppress_tokens(),
        blank=(*tokenizer.encode(" "), tokenizer.eot),
        eot=tokenizer.eot,
        max_tokens=task.sample_len,
    )


def check_language(model: Whisper, language: str) -> None:
    """Raise a ValueError that names the languages which the model knows, if this isn't one."""
    from whisper.tokenizer import LANGUAGES

    known = list(LANGUAGES)[: model.num_languages] if model.is_multilingual else ["en"]
    if _CODES.get(language, language) not in known:
        raise ValueError(f"language {language!r} is unknown to this model; it knows {known}")
