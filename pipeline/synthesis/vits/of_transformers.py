"""A VITS in the format of transformers, such as those of MMS-TTS."""

from __future__ import annotations

from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.pretrained.named import ModelError
from pipeline.pretrained.transformer import open_model, open_tokenizer
from pipeline.synthesis.vits.parts import Steps, UnknownLetters

if TYPE_CHECKING:
    from torch import Tensor


class TransformersVits(Steps):
    """The steps of `transformers.VitsModel.forward`."""

    def __init__(self, folder: Path, device: str) -> None:
        self._tokenizer: Any = open_tokenizer(folder)
        _refuse_missing(self._tokenizer)
        self._model = model = open_model("VitsModel", folder, device, "float32")
        self._config = config = model.config
        self.rate_hz = config.sampling_rate
        self.frame_s = prod(config.upsample_rates) / config.sampling_rate
        self.noise = model.noise_scale
        self.speakers = config.num_speakers
        self.device = device

    def tokens(self, text: str) -> list[int]:
        """Of a text whose letters and digits it knows; other signs may be left out in silence."""
        known = self._tokenizer.get_vocab()
        if not (self._tokenizer.is_uroman or self._tokenizer.phonemize):
            unknown = {c for c in text if c.isalnum() and not {c, c.lower()} & known.keys()}
            if unknown:
                raise UnknownLetters("".join(sorted(unknown)))
        tokens: list[int] = self._tokenizer(text).input_ids
        return tokens

    def voice(self, speaker: int) -> Tensor | None:
        """See `Steps.voice`."""
        import torch

        if self.speakers == 1:
            return None
        ids = torch.tensor([speaker], device=self.device)
        embedded: Tensor = self._model.embed_speaker(ids)[..., None]
        return embedded

    def encode(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `Steps.encode`."""
        import torch

        mask = (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]).long()
        made = self._model.text_encoder(
            input_ids=ids, padding_mask=mask[..., None].float(), attention_mask=mask
        )
        hidden, means, log_deviations = (
            part.transpose(1, 2)
            for part in (made.last_hidden_state, made.prior_means, made.prior_log_variances)
        )
        return hidden, means, log_deviations

    def durations(self, hidden: Tensor, voice: Tensor | None) -> Tensor:
        """See `Steps.durations`."""
        everything = hidden.new_ones(1, 1, hidden.shape[2])
        drawn: dict[str, Any] = {}
        if self._config.use_stochastic_duration_prediction:
            drawn = {"reverse": True, "noise_scale": self._model.noise_scale_duration}
        logs = self._model.duration_predictor(hidden, everything, voice, **drawn)
        frames: Tensor = logs.exp() * (1.0 / self._model.speaking_rate)
        return frames

    def flow(self, latents: Tensor, mask: Tensor, voices: Tensor | None) -> Tensor:
        """See `Steps.flow`."""
        made: Tensor = self._model.flow(latents, mask, voices, reverse=True)
        return made

    def decode(self, latents: Tensor, voice: Tensor | None) -> Tensor:
        """See `Steps.decode`."""
        made: Tensor = self._model.decoder(latents, voice)
        return made


def _refuse_missing(tokenizer: Any) -> None:
    """Name the package that a tokenizer warns of only, or misses in the middle of the work."""
    for wanted, package in ((tokenizer.is_uroman, "uroman"), (tokenizer.phonemize, "phonemizer")):
        if wanted and find_spec(package) is None:
            raise ModelError(f"model: its texts are read with {package}: pip install {package}")
