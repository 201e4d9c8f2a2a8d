"""SeamlessM4T v2 in steps, so that texts are written as a batch and no recording hears another.

transformers' `generate` (5.23) takes batches, and in them a clip depends on its neighbours: the
speech encoder's adapter convolves over a shorter recording's padding; the end mark is cut off the
longest text only, and the others' is spoken; the vocoder hears the padding of fewer units. So
recordings are encoded one by one; their texts, the one part that goes token by token, are written
together, the decoder's attention masked; and what follows is done for each text, as it does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def encode(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    """The frames [S, D] of one recording's features, or of one text's tokens."""
    if "input_ids" in inputs:
        frames: Tensor = model.text_encoder(**inputs).last_hidden_state[0]
        return frames
    frames = model.speech_encoder(**inputs).last_hidden_state[0]
    lengths = model._compute_sub_sample_lengths_from_attention_mask(inputs["attention_mask"])
    return frames[: int(lengths)]


def write(
    model: Any, encoded: Sequence[Tensor], languages: Sequence[str], longest: int
) -> list[Tensor]:
    """What each of the frames [S, D] says, greedily, in a language of the model's codes.

    Tokens [T]: the start mark, the language, the text, and the end mark unless it took more than
    `longest` tokens.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from transformers import GenerationMixin
    from transformers.modeling_outputs import BaseModelOutput

    settings = model.generation_config
    lengths = torch.tensor([len(one) for one in encoded], device=model.device)
    frames = pad_sequence(list(encoded), batch_first=True)
    mask = torch.arange(frames.shape[1], device=model.device) < lengths[:, None]
    codes = [settings.text_decoder_lang_to_code_id[language] for language in languages]
    starts = [[settings.decoder_start_token_id, code] for code in codes]
    model.set_modality("text")  # the mask is of frames already
    made = GenerationMixin.generate(
        model,
        encoder_outputs=BaseModelOutput(last_hidden_state=frames),
        attention_mask=mask.long(),
        decoder_input_ids=torch.tensor(starts, device=model.device),
        max_new_tokens=longest,
        num_beams=1,
        do_sample=False,
    )
    return [_to_its_end(row, settings.eos_token_id) for row in made]


def _to_its_end(tokens: Tensor, end: int) -> Tensor:
    """Tokens up to the first end mark after start mark and language; all where there is none."""
    ends = (tokens[2:] == end).nonzero()
    return tokens[: int(ends[0]) + 3] if len(ends) else tokens


def speak(model: Any, frames: Tensor, tokens: Tensor, language: str, speaker: int) -> Tensor:
    """The waveform [N] of what was written of frames [S, D], in a voice of the vocoder's.

    As in `SeamlessM4Tv2Model.generate` from its second pass on, for one text without padding.
    """
    import torch

    settings, config = model.generation_config, model.config
    hidden = model.text_decoder(
        input_ids=tokens[None, :-1], encoder_hidden_states=frames[None]
    ).last_hidden_state
    characters, counts = _characters(model, tokens[None, 2:-1])
    logits, is_unit = model.t2u_model(
        inputs_embeds=hidden, char_input_ids=characters, char_count_per_id=counts
    )[:2]
    units = logits.argmax(dim=-1)
    silent = (
        (units == config.t2u_eos_token_id) | ~is_unit.bool() | (units == config.t2u_pad_token_id)
    )
    units = torch.where(silent, config.t2u_pad_token_id, units - config.vocoder_offset)
    code = settings.vocoder_lang_code_to_id[language]
    waveform, length = model.vocoder(
        input_ids=units,
        speaker_id=torch.tensor([[speaker]], device=model.device),
        lang_id=torch.tensor([[code]], device=model.device),
    )
    samples: Tensor = waveform.flatten()[: int(length)]
    return samples


def _characters(model: Any, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Characters of a text's tokens [1, T], and how many each has, marks at both ends included."""
    import torch

    pad = model.generation_config.pad_token_id
    pieces = model._indices_to_subwords(ids)
    counts = model._count_character_length_in_subword(ids, pieces, pad_token_id=pad)
    none = counts.new_zeros((1, 1))
    counts = torch.cat([none, counts, none], dim=1)
    return model._get_char_input_ids(ids, pieces, counts, pad_token_id=pad), counts
