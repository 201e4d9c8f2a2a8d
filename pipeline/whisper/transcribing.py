"""Clips and their wanted texts -> transcripts: windows, batches, drafts, and the few that remain.

Every window is encoded once and checked against its draft in one pass. Those that part from it are
pooled across batches and decoded on together, so that a step's cost, which is mostly the reading of
the weights, is shared by as many as possible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pipeline.pretrained.batching import halving
from pipeline.records import Failure
from pipeline.whisper.checkpoint import Checkpoint
from pipeline.whisper.drafting import Draft, draft_tokens
from pipeline.whisper.encoding import Window, batches, encode_mels, log_mel, window_frames, windows
from pipeline.whisper.greedy import GreedyDecoder, Hypothesis
from pipeline.whisper.rules import Rules, greedy_rules
from pipeline.whisper.spoken_language import language_probabilities

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Clip:
    """What is to be transcribed: float32 [T] at 16 kHz, the wanted text, the forced language."""

    samples: np.ndarray
    text: str
    language: str


@dataclass(frozen=True)
class Transcript:
    """What Whisper heard: `language_probabilities` add up to one over the recipe's languages.

    `text_log_probability`: of the wanted text had it been dictated to the decoder, the mean over
    its tokens and the end of text; NaN where a clip has several windows.
    """

    text: str
    tokens: list[int]
    average_log_probability: float
    text_log_probability: float
    language_probabilities: dict[str, float]


@dataclass
class Piece:
    """One window of a clip on its way through; `frames` [F, D] only while it waits in the pool.

    `failure`: that it doesn't fit into memory, even alone.
    """

    mel: Tensor
    hypothesis: Hypothesis
    frames: Tensor | None = field(default=None, repr=False)
    failure: Failure | None = None

    @property
    def waits(self) -> bool:
        """Whether there is something left to decode."""
        return not self.hypothesis.done and self.failure is None


class Transcriber:
    """A checkpoint with the settings under which it transcribes."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        languages: Sequence[str],
        window: Window = "full",
        batch_size: int = 16,
        language_temperature: float = 1.0,
    ) -> None:
        """Ask Whisper for its rules in each language.

        Raises:
            ValueError: the model doesn't know one of the languages.
        """
        self._model = checkpoint.model
        self._spelling = checkpoint.spelling
        self._window: Window = window
        self._batch_size = batch_size
        self._temperature = language_temperature
        self._rules = {name: greedy_rules(self._model, name) for name in languages}
        _check_taught(self._rules.values(), checkpoint.vocabulary)
        rules = next(iter(self._rules.values()))
        self._greedy = GreedyDecoder(
            self._model, rules, self._language_tokens(), checkpoint.vocabulary
        )

    def __call__(self, clips: Sequence[Clip]) -> list[Transcript]:
        """Transcribe clips of any length, each as it would be alone.

        Raises:
            ValueError: one of them can't be transcribed (see `prepare`).
            MemoryError: one of them doesn't fit into memory alone.
        """
        heard = self.transcribe([self.prepare(clip) for clip in clips])
        for one in heard:
            if isinstance(one, Failure):
                raise MemoryError(one.error)
        return [one for one in heard if isinstance(one, Transcript)]

    def transcribe(self, prepared: Sequence[list[Piece]]) -> list[Transcript | Failure]:
        """Transcribe what `prepare` made of each clip; batches that don't fit run in halves."""
        self._decode([piece for own in prepared for piece in own])
        return [self._heard(own) for own in prepared]

    def prepare(self, clip: Clip) -> list[Piece]:
        """The windows of a clip, with the draft for each.

        Raises:
            ValueError: the audio is broken, the language is not one of the recipe's, or the text
                is empty or longer than Whisper could write; the message says which.
        """
        if clip.language not in self._rules:
            raise ValueError(
                f"language {clip.language!r} is not one of the recipe's: {list(self._rules)}"
            )
        rules = self._rules[clip.language]
        mels = list(windows(log_mel(clip.samples, self._model.dims.n_mels), self._model))
        tokens = draft_tokens(clip.text, rules, self._spelling)
        if len(tokens) > rules.max_tokens * len(mels):
            raise ValueError(
                f"text has {len(tokens)} tokens, and Whisper writes at most {rules.max_tokens} "
                "for a window of audio; split the sentence"
            )
        return [
            Piece(mel, Hypothesis(rules, Draft(tokens, rules, cursor=None if later else 0)))
            for later, mel in enumerate(mels)
        ]

    def _decode(self, pieces: list[Piece]) -> None:
        """Encode and check each batch; decode on whenever a batch of remaining ones is full."""
        pieces = sorted(pieces, key=lambda piece: len(piece.hypothesis.draft.tokens))
        sizes = [window_frames(p.mel.shape[1], self._model, self._window) for p in pieces]
        pool: list[Piece] = []
        for batch in batches(sizes, self._batch_size):
            checked = [pieces[i] for i in batch]
            _in_memory(partial(self._verify, size=sizes[batch[0]]), checked)
            pool += [piece for piece in checked if piece.waits]
            while len(pool) >= self._batch_size:
                _in_memory(self._finish, pool[: self._batch_size])
                pool = pool[self._batch_size :]
        if pool:
            _in_memory(self._finish, pool)

    def _verify(self, batch: list[Piece], size: int) -> None:
        """Encode a batch, check its drafts in one pass, and keep what the others go on from."""
        import torch

        frames = encode_mels(self._model, [piece.mel for piece in batch], size)
        lengths = torch.full((len(batch),), frames.shape[1])
        self._greedy.run([piece.hypothesis for piece in batch], frames, lengths, rounds=1)
        for piece, own in zip(batch, frames, strict=True):
            if not piece.hypothesis.done:
                piece.frames = own.clone()

    def _finish(self, pieces: list[Piece]) -> None:
        import torch
        from torch.nn.utils.rnn import pad_sequence

        frames = [piece.frames for piece in pieces if piece.frames is not None]
        lengths = torch.tensor([len(own) for own in frames])
        hypotheses = [piece.hypothesis for piece in pieces]
        self._greedy.run(hypotheses, pad_sequence(frames, batch_first=True), lengths)
        for piece in pieces:
            piece.frames = None

    def _heard(self, pieces: list[Piece]) -> Transcript | Failure:
        for piece in pieces:
            if piece.failure is not None:
                return piece.failure
        return self._transcript([piece.hypothesis for piece in pieces])

    def _transcript(self, hypotheses: list[Hypothesis]) -> Transcript:
        tokens = [token for hypothesis in hypotheses for token in hypothesis.tokens]
        steps = len(tokens) + len(hypotheses)
        return Transcript(
            text=hypotheses[0].rules.tokenizer.decode(tokens).strip(),
            tokens=tokens,
            average_log_probability=sum(h.log_probability for h in hypotheses) / steps,
            text_log_probability=_of_text(hypotheses),
            language_probabilities=self._languages(hypotheses),
        )

    def _languages(self, hypotheses: list[Hypothesis]) -> dict[str, float]:
        """Over the windows of a clip the logits are averaged; an English-only model says 1.0."""
        rows = [h.language_logits for h in hypotheses if h.language_logits is not None]
        logits = np.mean(rows, axis=0).tolist() if rows else [0.0]
        return language_probabilities(logits, list(self._rules), self._temperature)

    def _language_tokens(self) -> list[int]:
        if not self._model.is_multilingual:
            return []
        return [rules.tokenizer.language_token for rules in self._rules.values()]


def _check_taught(every: Iterable[Rules], vocabulary: Collection[int] | None) -> None:
    """Raise a ValueError where a checkpoint has no row for the token of a language."""
    known = None if vocabulary is None else set(vocabulary)
    strange = [one.language for one in every if known is not None and set(one.prompt) - known]
    if strange:
        raise ValueError(f"languages: {', '.join(strange)}: this checkpoint was never taught them")


def _in_memory(run: Callable[[list[Piece]], None], pieces: list[Piece]) -> None:
    """Run pieces together, or in halves where memory runs out; what doesn't fit alone has failed.

    Hypotheses only ever change by whole choices, so that those of an attempt which broke off are
    gone on from where it left them.
    """

    def attempt(some: list[Piece]) -> list[None]:
        if waiting := [piece for piece in some if piece.waits]:
            run(waiting)
        return [None] * len(some)

    for piece, failure in zip(pieces, halving(attempt, pieces, "judge"), strict=True):
        piece.failure = failure


def _of_text(hypotheses: list[Hypothesis]) -> float:
    first, *later = (hypothesis.draft_log_probs for hypothesis in hypotheses)
    return float(np.mean(first)) if first and not later else math.nan
