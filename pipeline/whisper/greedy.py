"""Greedy decoding that checks a draft instead of running step by step.

One decoder pass over prompt and draft gives the model's choice at every position. Where the choices
are the draft, greedy decoding is proved to give it (blockwise parallel decoding, Stern et al. 2018;
speculative decoding at temperature 0, Leviathan et al. 2023). Where they part, the model's token
stands, decoding goes on from the cache, and the rest of the draft is proposed again once the
transcript re-joins it (prompt-lookup decoding, Saxena 2023).

The tokens are those of `whisper.decode`, up to ties: sums in another order differ by some 1e-6 in
float32, which only decides between tokens that score the same to six digits. `whisper.decode` on
a batch differs from itself on one clip in the same way. Half precision ties more often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.whisper.choosing import Choices, Chooser
from pipeline.whisper.decoding import CachedDecoder
from pipeline.whisper.drafting import Draft
from pipeline.whisper.rules import Rules

if TYPE_CHECKING:
    from torch import Tensor
    from whisper.model import Whisper


@dataclass
class Hypothesis:
    """One window's transcript in the making.

    `log_probability` is the sum over the chosen tokens and the end of text, as in `whisper.decode`;
    `language_logits` are read at the first token: language identification costs no extra pass.
    `draft_log_probs`, of each draft token and of the end of text behind them, come from that pass.
    """

    rules: Rules
    draft: Draft
    tokens: list[int] = field(default_factory=list)
    log_probability: float = 0.0
    done: bool = False
    limit: int = 0
    language_logits: list[float] | None = None
    draft_log_probs: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The whole draft is proposed first."""
        self.limit = self.rules.max_tokens

    @property
    def known(self) -> list[int]:
        """Prompt and chosen tokens: what the next choice depends on."""
        return [*self.rules.prompt, *self.tokens]

    def proposal(self) -> list[int]:
        """Draft tokens worth checking next; the last token allowed needs no look beyond it."""
        room = self.rules.max_tokens - len(self.tokens) - 1
        return self.draft.proposal(min(self.limit, room))

    def take(self, proposal: list[int], found: Choices) -> int:
        """Accept the model's choices as far as they follow from known tokens; how many agreed."""
        if not self.tokens and proposal:
            self.draft_log_probs = found.wanted_log_probs
        for agreed, (choice, log_prob) in enumerate(
            zip(found.tokens, found.log_probs, strict=True)
        ):
            self.log_probability += log_prob
            self.done = choice == self.rules.eot
            if self.done:
                return agreed
            self.tokens.append(choice)
            self.done = len(self.tokens) == self.rules.max_tokens
            if self.done or proposal[agreed : agreed + 1] != [choice]:
                break
        self.limit = 2 * agreed + 4
        self.draft.follow(self.tokens, agreed)
        return agreed


class GreedyDecoder:
    """Decodes hypotheses on a model; `language_tokens` are those identified among."""

    def __init__(
        self,
        model: Whisper,
        rules: Rules,
        language_tokens: Sequence[int],
        vocabulary: Sequence[int] | None = None,
    ) -> None:
        """`rules` of any language: what they suppress is the same for all. See `Chooser`."""
        self._model = model
        self._choose = Chooser(model, rules, vocabulary)
        self._language_tokens = list(language_tokens)

    def run(
        self,
        hypotheses: Sequence[Hypothesis],
        frames: Tensor,
        lengths: Tensor,
        rounds: int | None = None,
    ) -> None:
        """Decode to the end, or for so many passes; `frames` [B, F, D] with `lengths` [B]."""
        import torch

        with torch.inference_mode():
            live = list(hypotheses)
            decoder = CachedDecoder(self._model, frames, lengths, _capacity(live, rounds))
            cached = [0] * len(live)
            while live and rounds != 0:
                cached = self._round(decoder, live, cached)
                rounds = None if rounds is None else rounds - 1
                going = [i for i, hypothesis in enumerate(live) if not hypothesis.done]
                if len(going) < len(live):
                    live, cached = [live[i] for i in going], [cached[i] for i in going]
                    decoder.keep(going)

    def _round(
        self, decoder: CachedDecoder, live: list[Hypothesis], cached: list[int]
    ) -> list[int]:
        """One pass for all; returns how much of each sequence the cache now holds."""
        import torch

        proposals = [hypothesis.proposal() for hypothesis in live]
        known = [hypothesis.known for hypothesis in live]
        feeds = [[*k[c:], *p] for k, p, c in zip(known, proposals, cached, strict=True)]
        hidden = decoder.hidden(feeds, cached)
        self._identify(hidden, live)
        rows = [
            (item, len(feed) - 1 - len(proposal) + i)
            for item, (feed, proposal) in enumerate(zip(feeds, proposals, strict=True))
            for i in range(len(proposal) + 1)
        ]
        first = [not hypothesis.tokens for hypothesis in live]
        places = torch.tensor(rows, device=hidden.device)
        found = self._choose(
            hidden[places[:, 0], places[:, 1]],
            [first[item] and at == len(known[item]) - 1 for item, at in rows],
            [t for h, p in zip(live, proposals, strict=True) for t in (*p, h.rules.eot)],
        )
        after, start = [], 0
        for hypothesis, proposal, sequence in zip(live, proposals, known, strict=True):
            agreed = hypothesis.take(proposal, found.part(start, start + len(proposal) + 1))
            after.append(len(sequence) + agreed)
            start += len(proposal) + 1
        return after

    def _identify(self, hidden: Tensor, live: list[Hypothesis]) -> None:
        """Logits of the language tokens behind <|startoftranscript|>, at an item's first pass."""
        if not self._language_tokens or live[0].language_logits is not None:
            return
        embedding = self._model.decoder.token_embedding.weight[self._language_tokens]
        logits = (hidden[:, 0] @ embedding.to(hidden.dtype).T).float().tolist()
        for hypothesis, row in zip(live, logits, strict=True):
            hypothesis.language_logits = row


def _capacity(hypotheses: Sequence[Hypothesis], rounds: int | None) -> int:
    """Places that the longest sequence may need: all that the rules allow, or one pass."""
    return max(
        len(h.rules.prompt) + h.rules.max_tokens
        if rounds is None
        else len(h.known) + rounds * (len(h.proposal()) + 1)
        for h in hypotheses
    )
