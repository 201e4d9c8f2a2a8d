"""Hidden states -> Whisper's choice at each place, and what it gives the wanted token there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.whisper.rules import Rules
from pipeline.whisper.vocabulary import UNUSED_LOGIT

if TYPE_CHECKING:
    from torch import Tensor
    from whisper.model import Whisper


@dataclass(frozen=True)
class Choices:
    """At N places: the arg-max, its log-probability, and that of the wanted token."""

    tokens: list[int]
    log_probs: list[float]
    wanted_log_probs: list[float]

    def part(self, start: int, end: int) -> Choices:
        """Those at the places from `start` to before `end`."""
        own = slice(start, end)
        return Choices(self.tokens[own], self.log_probs[own], self.wanted_log_probs[own])


class Chooser:
    """The rows of the vocabulary that may be chosen, under Whisper's rules.

    Where a checkpoint has left rows out, they are not multiplied with: they have a constant logit
    (`UNUSED_LOGIT`), so the choice is the same, and a small model's largest product is saved.
    """

    def __init__(self, model: Whisper, rules: Rules, vocabulary: Sequence[int] | None) -> None:
        """`vocabulary`: the tokens that the checkpoint knows; None: all."""
        import torch

        embedding = model.decoder.token_embedding.weight
        known = range(len(embedding)) if vocabulary is None else sorted(vocabulary)
        self._embedding = embedding if vocabulary is None else embedding[list(known)]
        self._tokens = torch.tensor(known, device=embedding.device)
        self._suppressed = torch.isin(self._tokens, self._tokens.new_tensor(rules.suppressed))
        self._blank = torch.isin(self._tokens, self._tokens.new_tensor(rules.blank))

    def __call__(self, hidden: Tensor, first: Sequence[bool], wanted: Sequence[int]) -> Choices:
        """Choose at hidden states [N, D]; `first`: the transcript begins there.

        The wanted token is weighed as the model has it, before the rules.
        """
        import torch

        logits = (hidden @ self._embedding.to(hidden.dtype).T).float()
        heard = logits.log_softmax(dim=-1)
        asked = torch.tensor(wanted, device=logits.device)
        at = torch.searchsorted(self._tokens, asked).clamp(max=len(self._tokens) - 1)
        own = heard.gather(1, at[:, None])[:, 0]
        own = own.where(self._tokens[at] == asked, own.new_tensor(UNUSED_LOGIT))
        opening = torch.tensor(first, device=logits.device)[:, None] & self._blank
        log_probs = logits.masked_fill(opening | self._suppressed, float("-inf")).log_softmax(-1)
        best, index = log_probs.max(dim=-1)
        return Choices(self._tokens[index].tolist(), best.tolist(), own.tolist())
