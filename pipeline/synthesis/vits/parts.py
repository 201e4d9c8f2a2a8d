"""VITS step by step, so that a batch gives each text what it would get alone.

The libraries' own calls draw one noise for a whole batch, and their vocoders hear its padding. Here
every text has its own noise, from its own seed; text encoder and flow run as a batch, with masks;
durations and vocoder run text by text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Steps(ABC):
    """The steps of a loaded VITS, whichever library it is of.

    `speakers`: how many it has; `frame_s`: what a frame of its latents lasts; `noise`: scale of the
    latents' noise.
    """

    rate_hz: int
    frame_s: float
    noise: float
    speakers: int
    device: str

    @abstractmethod
    def tokens(self, text: str) -> list[int]:
        """Token ids of a text.

        Raises:
            UnknownLetters: the model has none for a letter.
        """

    @abstractmethod
    def voice(self, speaker: int) -> Tensor | None:
        """Embedding [1, G, 1] of a speaker's number; None in a model of one."""

    @abstractmethod
    def encode(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden states [B, H, T], means and log standard deviations [B, C, T] of ids [B, T]."""

    @abstractmethod
    def durations(self, hidden: Tensor, voice: Tensor | None) -> Tensor:
        """Frames that each token of one text [1, H, T] lasts [1, 1, T], by torch's generator."""

    @abstractmethod
    def flow(self, latents: Tensor, mask: Tensor, voices: Tensor | None) -> Tensor:
        """The vocoder's latents [B, C, F] of samples of the prior, with a mask [B, 1, F]."""

    @abstractmethod
    def decode(self, latents: Tensor, voice: Tensor | None) -> Tensor:
        """Waveform [1, 1, T] of one text's latents [1, C, F]."""


class UnknownLetters(ValueError):
    """Letters of a text that a model can't read."""


@dataclass(frozen=True)
class Text:
    """What is to be said, by whom, and with which noise."""

    tokens: list[int]
    speaker: int
    seed: int


def speak(vits: Steps, texts: Sequence[Text], longest: int) -> list[tuple[Tensor, bool]]:
    """A waveform [T] of each text, and whether it was cut off after `longest` frames."""
    import torch

    lengths = torch.tensor([len(text.tokens) for text in texts], device=vits.device)
    ids = [torch.tensor(text.tokens, device=vits.device) for text in texts]
    encoded = vits.encode(torch.nn.utils.rnn.pad_sequence(ids, batch_first=True), lengths)
    voices = [vits.voice(text.speaker) for text in texts]
    priors = [
        _prior(
            vits, [part[at : at + 1, :, : lengths[at]] for part in encoded], voices[at], text.seed
        )
        for at, text in enumerate(texts)
    ]
    latents = _flow(vits, [prior[:, :longest] for prior in priors], voices)
    return [
        (vits.decode(one[None], voice).flatten(), prior.shape[1] > longest)
        for one, voice, prior in zip(latents, voices, priors, strict=True)
    ]


def _prior(vits: Steps, encoded: list[Tensor], voice: Tensor | None, seed: int) -> Tensor:
    """A sample of one text's prior [C, F], each token's part as long as it is to last."""
    import torch

    hidden, means, log_deviations = encoded
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        frames = vits.durations(hidden, voice).ceil().long().flatten()
        means = means[0].repeat_interleave(frames, dim=1)
        noise = torch.randn(means.shape).to(means)
    if not means.shape[1]:  # as the libraries do: a text lasts a frame at least
        return encoded[1][0, :, :1]
    deviations = log_deviations[0].repeat_interleave(frames, dim=1).exp()
    sample: Tensor = means + noise * deviations * vits.noise
    return sample


def _flow(vits: Steps, priors: list[Tensor], voices: list[Tensor | None]) -> list[Tensor]:
    """The priors [C, F] of a batch as the vocoder's latents [C, F]."""
    import torch

    longest = max(prior.shape[1] for prior in priors)
    pad = torch.nn.functional.pad
    padded = torch.stack([pad(one, (0, longest - one.shape[1])) for one in priors])
    ones = [one.new_ones(1, one.shape[1]) for one in priors]
    mask = torch.stack([pad(one, (0, longest - one.shape[1])) for one in ones])
    known = [voice for voice in voices if voice is not None]
    latents = vits.flow(padded, mask, torch.cat(known) if known else None)
    return [one[:, : prior.shape[1]] for one, prior in zip(latents, priors, strict=True)]
