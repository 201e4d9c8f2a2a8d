"""A VITS in the format of transformers, such as those of MMS-TTS."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.languages import Language
from pipeline.pretrained.named import ModelError
from pipeline.pretrained.opening import sound_rate
from pipeline.pretrained.transformer import open_model, open_tokenizer
from pipeline.scripts import is_said
from pipeline.synthesis.vits.parts import Steps, UnknownLetters

if TYPE_CHECKING:
    from torch import Tensor


class TransformersVits(Steps):
    """The steps of `transformers.VitsModel.forward`."""

    def __init__(self, folder: Path, device: str, language: Language) -> None:
        self._tokenizer: Any = open_tokenizer(folder)
        _refuse_english_sounds(self._tokenizer, folder, language)
        _refuse_missing(self._tokenizer)
        # One for all texts: transformers opens its tables anew for each.
        uroman = import_module("uroman") if self._tokenizer.is_uroman else None
        self._romanizer: Any = uroman and uroman.Uroman()
        self._model = model = open_model("VitsModel", folder, device, "float32")
        self._config = config = model.config
        self.rate_hz = sound_rate(folder, config.sampling_rate)
        self.frame_s = prod(config.upsample_rates) / self.rate_hz
        if not config.speaking_rate > 0:
            raise ModelError(
                f"model: '{folder}' has the speaking_rate {config.speaking_rate} in its "
                "config.json, and would never end: get it anew, or name another"
            )
        self.noise = model.noise_scale
        self.speakers = config.num_speakers
        self.device = device

    def tokens(self, text: str) -> list[int]:
        """Of a text whose signs that are said (`is_said`) it knows; others may be left out."""
        read = self._normalised(text)
        # Without `normalize` the library keeps what it would leave out in silence.
        heard, _ = self._tokenizer.prepare_for_tokenization(read, normalize=False)
        unknown = {one for one in heard if is_said(one)} - self._tokenizer.get_vocab().keys()
        if unknown:
            raise UnknownLetters("".join(sorted(unknown)))
        tokens: list[int] = self._tokenizer(read).input_ids
        return tokens

    def _normalised(self, text: str) -> str:
        if self._tokenizer.normalize:
            text = self._tokenizer.normalize_text(text)
        if self._romanizer and not text.isascii():
            text = self._romanizer.romanize_string(text)
        return text

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


def _refuse_english_sounds(tokenizer: Any, folder: Path, language: Language) -> None:
    """Refuse what transformers would put into the sounds of English, whatever the language is."""
    if tokenizer.phonemize and language != "en":
        raise ModelError(
            f"synthesis.model.{language}: '{folder}' reads sounds (phonemize), and transformers "
            "knows those of American English alone; name a model that reads letters, or one of "
            "coqui-tts"
        )


def _refuse_missing(tokenizer: Any) -> None:
    """Name the package that a tokenizer warns of only, or misses in the middle of the work."""
    for wanted, package in ((tokenizer.is_uroman, "uroman"), (tokenizer.phonemize, "phonemizer")):
        if wanted and find_spec(package) is None:
            raise ModelError(f"model: its texts are read with {package}: pip install {package}")
