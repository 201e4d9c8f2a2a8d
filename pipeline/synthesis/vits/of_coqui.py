"""A VITS in the format of coqui-tts."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.pretrained.named import ModelError
from pipeline.pretrained.opening import opening, refuse_broken_weights, sound_rate
from pipeline.scripts import is_said
from pipeline.synthesis.coqui import read_weights
from pipeline.synthesis.vits.parts import Steps, UnknownLetters

if TYPE_CHECKING:
    from torch import Tensor

_OF_COQUI = "TTS.tts."


class CoquiVits(Steps):
    """The steps of `TTS.tts.models.vits.Vits.inference`, for a model of one language."""

    def __init__(self, folder: Path, device: str) -> None:
        with opening(folder, "coqui-tts' VITS"):
            model, config = _open(folder)
            self._model = model.to(device).eval().requires_grad_(False)
        arguments = config.model_args
        self._arguments = arguments
        refuse_broken_weights(folder, self._model)
        self.rate_hz = sound_rate(folder, config.audio.sample_rate)
        self.frame_s = prod(arguments.upsample_rates_decoder) / self.rate_hz
        self.noise = model.inference_noise_scale
        self.speakers = max(1, model.num_speakers)
        self.device = device

    def tokens(self, text: str) -> list[int]:
        """Of a text whose signs that are said (`is_said`) it knows; others may be left out."""
        tokenizer = self._model.tokenizer
        tokenizer.not_found_characters.clear()
        tokens: list[int] = tokenizer.text_to_ids(text)
        unknown = set(filter(is_said, tokenizer.not_found_characters))
        if unknown:
            raise UnknownLetters("".join(sorted(unknown)))
        return tokens

    def voice(self, speaker: int) -> Tensor | None:
        """See `Steps.voice`."""
        import torch

        if not self._arguments.use_speaker_embedding:
            return None
        embedded: Tensor = self._model.emb_g(torch.tensor([speaker], device=self.device))[..., None]
        return embedded

    def encode(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `Steps.encode`."""
        hidden, means, log_deviations, _ = self._model.text_encoder(ids, lengths, lang_emb=None)
        return hidden, means, log_deviations

    def durations(self, hidden: Tensor, voice: Tensor | None) -> Tensor:
        """See `Steps.durations`."""
        everything = hidden.new_ones(1, 1, hidden.shape[2])
        drawn: dict[str, Any] = {}
        if self._arguments.use_sdp:
            drawn = {"reverse": True, "noise_scale": self._model.inference_noise_scale_dp}
        heard = voice if self._arguments.condition_dp_on_speaker else None
        logs = self._model.duration_predictor(hidden, everything, g=heard, **drawn)
        frames: Tensor = logs.exp() * self._model.length_scale
        return frames

    def flow(self, latents: Tensor, mask: Tensor, voices: Tensor | None) -> Tensor:
        """See `Steps.flow`."""
        made: Tensor = self._model.flow(latents, mask, g=voices, reverse=True)
        return made

    def decode(self, latents: Tensor, voice: Tensor | None) -> Tensor:
        """See `Steps.decode`."""
        made: Tensor = self._model.waveform_decoder(latents, g=voice)
        return made


def _open(folder: Path) -> tuple[Any, Any]:
    """The model and its configuration."""
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits as Model

    config: Any = VitsConfig()
    config.load_json(str(folder / "config.json"))
    if config.model_args.use_language_embedding or config.model_args.use_d_vector_file:
        raise ModelError(
            f"model: '{folder}' has several languages or cloned voices; use one without"
        )
    _keep_inside(config, folder)
    config.model_args.init_discriminator = False
    model = Model.init_from_config(config)
    tensors = read_weights(_weights_file(folder))
    for_training = ("disc.", "speaker_encoder.")
    model.load_state_dict(
        {name: one for name, one in tensors.items() if not name.startswith(for_training)}
    )
    return model, config


def _keep_inside(config: Any, folder: Path) -> None:
    """Let a stranger's settings run no class of theirs, and read no file beyond the folder."""
    named = config.characters and config.characters.characters_class
    if named and not named.startswith(_OF_COQUI):
        raise ModelError(
            f"model: '{folder}' wants the class '{named}' for its letters, which would run code of "
            f"its own; name one of {_OF_COQUI}*"
        )
    config.model_args.use_speaker_encoder_as_loss = False
    config.model_args.speaker_encoder_model_path = ""
    for part in (config, config.model_args):
        if part.speakers_file:
            part.speakers_file = str(folder / Path(part.speakers_file).name)


def _weights_file(folder: Path) -> Path:
    for pattern in ("*.safetensors", "*.pth"):
        if found := sorted(folder.glob(pattern)):
            return found[0]
    raise ModelError(
        f"model: '{folder}' has neither .safetensors nor .pth, as coqui-tts names weights; rename "
        "the file of weights"
    )
