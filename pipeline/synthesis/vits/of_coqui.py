"""A VITS in the format of coqui-tts."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.pretrained.named import ModelError
from pipeline.pretrained.quiet import quiet
from pipeline.synthesis.vits.parts import Steps, UnknownLetters

if TYPE_CHECKING:
    from torch import Tensor


class CoquiVits(Steps):
    """The steps of `TTS.tts.models.vits.Vits.inference`, for a model of one language."""

    def __init__(self, folder: Path, device: str) -> None:
        from TTS.tts.configs.vits_config import VitsConfig
        from TTS.tts.models.vits import Vits as Model

        config = VitsConfig()
        config.load_json(str(folder / "config.json"))
        arguments = config.model_args
        if arguments.use_language_embedding or arguments.use_d_vector_file:
            raise ModelError(
                f"model: '{folder}' has several languages or cloned voices; use one without"
            )
        arguments.init_discriminator = False
        with quiet():
            model: Any = Model.init_from_config(config)
        model.load_state_dict(_weights(folder))
        self._model = model.to(device).eval().requires_grad_(False)
        self._arguments = arguments
        self.rate_hz = config.audio.sample_rate
        self.frame_s = prod(arguments.upsample_rates_decoder) / config.audio.sample_rate
        self.noise = model.inference_noise_scale
        self.speakers = max(1, model.num_speakers)
        self.device = device

    def tokens(self, text: str) -> list[int]:
        """Of what the tokenizer leaves of a text; it leaves out in silence what it doesn't know."""
        tokenizer = self._model.tokenizer
        tokenizer.not_found_characters.clear()
        tokens: list[int] = tokenizer.text_to_ids(text)
        unknown = {one for one in tokenizer.not_found_characters if one.isalpha()}
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


def _weights(folder: Path) -> dict[str, Any]:
    """Tensors by name, without those that only training needs."""
    import torch
    from safetensors.torch import load_file

    safe = sorted(folder.glob("*.safetensors"))
    if safe:
        tensors = load_file(safe[0])
    else:
        pickled = sorted(folder.glob("*.pth"))[0]
        tensors = torch.load(pickled, map_location="cpu", weights_only=True)["model"]
    return {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith(("disc.", "speaker_encoder."))
    }
