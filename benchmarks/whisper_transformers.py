"""The same weights in transformers, and its batched greedy generation under Whisper's rules."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.whisper.encoding import log_mel
from pipeline.whisper.rules import Rules

if TYPE_CHECKING:
    from whisper.model import Whisper

_NAMES = {
    "blocks": "layers",
    "mlp.0": "fc1",
    "mlp.2": "fc2",
    "mlp_ln": "final_layer_norm",
    ".attn.query": ".self_attn.q_proj",
    ".attn.key": ".self_attn.k_proj",
    ".attn.value": ".self_attn.v_proj",
    ".attn.out": ".self_attn.out_proj",
    ".attn_ln": ".self_attn_layer_norm",
    ".cross_attn.query": ".encoder_attn.q_proj",
    ".cross_attn.key": ".encoder_attn.k_proj",
    ".cross_attn.value": ".encoder_attn.v_proj",
    ".cross_attn.out": ".encoder_attn.out_proj",
    ".cross_attn_ln": ".encoder_attn_layer_norm",
    "decoder.ln.": "decoder.layer_norm.",
    "encoder.ln_post.": "encoder.layer_norm.",
    "token_embedding": "embed_tokens",
    "encoder.positional_embedding": "encoder.embed_positions.weight",
    "decoder.positional_embedding": "decoder.embed_positions.weight",
}
"""As in transformers' own convert_openai_to_hf.py."""


def available() -> bool:
    """Whether transformers is installed."""
    return find_spec("transformers") is not None


def generate(
    model: Whisper, rules: Rules, batch_size: int
) -> Callable[[list[np.ndarray]], list[list[int]]]:
    """A function from clips to tokens, through transformers on the same weights."""
    import torch
    from torch.nn.functional import pad
    from transformers.generation import GenerationMixin

    converted = _converted(model)
    prompt = torch.tensor([rules.prompt], device=model.device)

    def run(clips: list[np.ndarray]) -> list[list[int]]:
        tokens: list[list[int]] = []
        for start in range(0, len(clips), batch_size):
            mels = [log_mel(clip, model.dims.n_mels) for clip in clips[start : start + batch_size]]
            window = 2 * model.dims.n_audio_ctx
            batch = torch.stack([pad(mel, (0, window - mel.shape[1])) for mel in mels])
            made = GenerationMixin.generate(
                converted,
                batch.to(model.device),
                decoder_input_ids=prompt.repeat(len(batch), 1),
                generation_config=_settings(rules),
            )
            tokens += [_chosen(row, rules) for row in made.tolist()]
        return tokens

    return run


def _converted(model: Whisper) -> Any:
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    dims = model.dims
    config = WhisperConfig(
        vocab_size=dims.n_vocab,
        num_mel_bins=dims.n_mels,
        d_model=dims.n_audio_state,
        encoder_layers=dims.n_audio_layer,
        encoder_attention_heads=dims.n_audio_head,
        encoder_ffn_dim=4 * dims.n_audio_state,
        decoder_layers=dims.n_text_layer,
        decoder_attention_heads=dims.n_text_head,
        decoder_ffn_dim=4 * dims.n_text_state,
        max_source_positions=dims.n_audio_ctx,
        max_target_positions=dims.n_text_ctx,
    )
    converted = WhisperForConditionalGeneration(config)
    state = {f"model.{_renamed(name)}": tensor for name, tensor in model.state_dict().items()}
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    converted.load_state_dict(state)
    return converted.eval().to(model.device)


def _renamed(name: str) -> str:
    for ours, theirs in _NAMES.items():
        name = name.replace(ours, theirs)
    return name


def _settings(rules: Rules) -> Any:
    from transformers import GenerationConfig

    return GenerationConfig(
        max_new_tokens=rules.max_tokens,
        do_sample=False,
        num_beams=1,
        eos_token_id=rules.eot,
        pad_token_id=rules.eot,
        decoder_start_token_id=rules.prompt[0],
        suppress_tokens=list(rules.suppressed),
        begin_suppress_tokens=list(rules.blank),
    )


def _chosen(row: list[int], rules: Rules) -> list[int]:
    chosen = row[len(rules.prompt) :]
    return chosen[: chosen.index(rules.eot)] if rules.eot in chosen else chosen
