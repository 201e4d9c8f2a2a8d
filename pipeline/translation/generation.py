"""How long a translation may get, and batches in which no text changes that for another."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from pipeline.pretrained.batching import run_by_length
from pipeline.records import Failure
from pipeline.translation.base import Translation

_STEP = 16
_LONGEST_RATIO = 2
"""Tokens that a translation may have for each token of its source (assumed)."""

Tokens = list[int]


class Generate(Protocol):
    """Translates texts of token ids at once; none may get more than `cap` tokens."""

    def __call__(self, batch: list[Tokens], cap: int) -> list[Translation | Failure]: ...


def token_cap(tokens: int) -> int:
    """The most tokens that the translation of a text of so many may have; it grows in steps."""
    return _STEP + _LONGEST_RATIO * _STEP * -(-tokens // _STEP)


def positions(model: Any) -> int:
    """The most tokens that a model has places for; T5 counts distances alone and has no end."""
    return int(getattr(model.config, "max_position_embeddings", None) or sys.maxsize)


def generate_by_cap(
    generate: Generate, encoded: Sequence[Tokens], caps: Sequence[int], budget: int, longest: int
) -> list[Translation | Failure]:
    """Translate texts of token ids, those of one cap and of like length together.

    A batch generates until its last text ends. With one cap in a batch, a longer neighbour never
    gives a text more room than it has by itself. `budget`: tokens in a batch, padding included;
    a text of more than `longest` tokens becomes a `Failure`, because a model would cut it off.
    """
    answers: dict[int, Translation | Failure] = {}
    by_cap: defaultdict[int, list[int]] = defaultdict(list)
    for at, ids in enumerate(encoded):
        if len(ids) > longest:
            answers[at] = _too_long(len(ids), longest)
        else:
            by_cap[caps[at]].append(at)
    for cap, places in sorted(by_cap.items(), reverse=True):
        batch = [encoded[at] for at in places]
        lengths = [len(ids) for ids in batch]
        found = run_by_length(partial(generate, cap=cap), batch, lengths, budget, "translate")
        answers.update(zip(places, map(_not_empty, found), strict=True))
    return [answers[at] for at in range(len(encoded))]


def _not_empty(answer: Translation | Failure) -> Translation | Failure:
    if isinstance(answer, Failure) or answer.text:
        return answer
    return Failure("translate", "the model wrote nothing")


def _too_long(tokens: int, longest: int) -> Failure:
    return Failure(
        "translate", f"the text has {tokens} tokens and the model takes {longest}: split it"
    )
