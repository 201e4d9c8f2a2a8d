"""Tiny random synthesizers in the real formats, whose speech depends on all that they are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

XTTS_LANGUAGES = ("en", "es", "fr", "de", "it", "zh-cn")
_LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéèêàçñóíúìòù0123456789.,!?;:'-¿¡"
_SLOPE = 20.0
"""Of the position's part in a hidden state; found by trial, so that `end_after` is about right."""


def tiny_xtts(
    folder: Path,
    seed: int = 0,
    *,
    layers: int = 2,
    width: int = 64,
    heads: int = 4,
    audio_tokens: int = 64,
    max_tokens: int = 48,
    end_after: float | None = 20.0,
    pickled: bool = False,
) -> Path:
    """An XTTS v2 folder; vocoder and speaker encoder have the one size that coqui-tts builds.

    `end_after`: speech ends after about so many tokens, varied by what is said; None: at the cap.
    """
    import torch
    from safetensors.torch import save_file
    from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
    from TTS.tts.models.xtts import Xtts, _legacy_safe_globals

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _xtts_tokenizer()
    tokenizer.save(str(folder / "vocab.json"))
    config = XttsConfig(
        model_args=XttsArgs(
            gpt_layers=layers,
            gpt_n_model_channels=width,
            gpt_n_heads=heads,
            gpt_max_audio_tokens=max_tokens + 3,
            gpt_number_text_tokens=tokenizer.get_vocab_size(),
            gpt_start_text_token=tokenizer.token_to_id("[START]"),
            gpt_stop_text_token=tokenizer.token_to_id("[STOP]"),
            gpt_num_audio_tokens=audio_tokens + 2,
            gpt_start_audio_token=audio_tokens,
            gpt_stop_audio_token=audio_tokens + 1,
            gpt_use_perceiver_resampler=True,
            decoder_input_dim=width,
        ),
        languages=list(XTTS_LANGUAGES),
        temperature=0.75,
        repetition_penalty=5.0,
    )
    torch.manual_seed(seed)
    model = Xtts(config)
    _enliven(model.gpt, end_after)
    config.save_json(str(folder / "config.json"))
    if pickled:
        with _legacy_safe_globals():  # the published pickle has its classes by their older names
            torch.save({"model": model.state_dict(), "config": config}, folder / "model.pth")
    else:
        state = {name: value.contiguous() for name, value in model.state_dict().items()}
        save_file(state, folder / "model.safetensors")
    return folder


def tiny_vits(folder: Path, seed: int = 0, *, speakers: int = 1, alphabet: str = _LETTERS) -> Path:
    """A VITS of transformers, as those of MMS-TTS are."""
    import json

    import torch
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<pad>", "<unk>", " ", *alphabet]
    vocabulary = {token: at for at, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    VitsTokenizer(str(folder / "vocab.json"), phonemize=False).save_pretrained(folder)
    config = VitsConfig(
        vocab_size=len(tokens), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        ffn_dim=32, flow_size=16, spectrogram_bins=33, num_speakers=speakers,
        speaker_embedding_size=8 if speakers > 1 else 0, upsample_initial_channel=16,
        upsample_rates=[8, 8], upsample_kernel_sizes=[16, 16], resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]], prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=2, posterior_encoder_num_wavenet_layers=2,
        duration_predictor_filter_channels=16, depth_separable_num_layers=2,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = VitsModel(config)
    _louden(model)
    model.save_pretrained(folder)
    return folder


def tiny_seamless_speech(folder: Path, seed: int = 0) -> Path:
    """A whole SeamlessM4T v2, from recordings or texts to speech."""
    import transformers

    from tests.checkpoints.text import SEAMLESS_CODES, tiny_seamless

    tiny_seamless(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    transformers.SeamlessM4TFeatureExtractor().save_pretrained(folder)
    config = transformers.SeamlessM4Tv2Config(
        vocab_size=len(tokenizer), t2u_vocab_size=40, hidden_size=16, max_position_embeddings=128,
        encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=32,
        speech_encoder_layers=1, speech_encoder_attention_heads=2,
        speech_encoder_intermediate_size=32, num_adapter_layers=1,
        t2u_encoder_layers=1, t2u_encoder_attention_heads=2, t2u_encoder_ffn_dim=32,
        t2u_decoder_layers=1, t2u_decoder_attention_heads=2, t2u_decoder_ffn_dim=32,
        t2u_max_position_embeddings=512, t2u_variance_predictor_embed_dim=16,
        t2u_variance_predictor_hidden_dim=16, char_vocab_size=40,
        unit_hifi_gan_vocab_size=40, unit_embed_dim=8, lang_embed_dim=8, spkr_embed_dim=8,
        vocoder_num_langs=8, vocoder_num_spkrs=20, variance_predictor_kernel_size=3,
        upsample_initial_channel=16, upsample_rates=[8, 8], upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], vocoder_offset=0,
    )  # fmt: skip
    model = _drawn_seamless(config, seed)
    pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    numbers = {code: at for at, code in enumerate(SEAMLESS_CODES)}
    texts = {code: tokenizer.convert_tokens_to_ids(f"__{code}__") for code in SEAMLESS_CODES}
    model.generation_config = transformers.GenerationConfig(
        decoder_start_token_id=3, bos_token_id=2, eos_token_id=3, pad_token_id=0,
        text_decoder_lang_to_code_id=texts, vocoder_lang_code_to_id=numbers,
        t2u_lang_code_to_id=numbers,
        id_to_text={str(at): piece for at, piece in enumerate(pieces)},
        char_to_id={character: 4 + ord(character) % 36 for piece in pieces for character in piece},
    )  # fmt: skip
    model.save_pretrained(folder)
    return folder


def _drawn_seamless(config: Any, seed: int) -> Any:
    """The model with weights wide enough that what it says depends on what it hears."""
    import torch
    import transformers

    torch.manual_seed(seed)
    model = transformers.SeamlessM4Tv2Model(config)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            wide = (
                1.0 if "embed" in name or name.startswith("shared") else parameter.shape[1] ** -0.5
            )
            torch.nn.init.normal_(parameter, std=wide)
        elif "conv_post" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    torch.nn.init.zeros_(model.vocoder.dur_predictor.proj.weight)
    torch.nn.init.constant_(model.vocoder.dur_predictor.proj.bias, 2.0)  # six frames a unit
    return model


def write(folder: Path) -> None:
    """Every checkpoint that the recipe `m5ser-smoke` names."""
    tiny_xtts(folder / "xtts")
    tiny_coqui_vits(folder / "vits")
    tiny_vits(folder / "mms")
    tiny_seamless_speech(folder / "seamless-speech")


def tiny_coqui_vits(folder: Path, seed: int = 0) -> Path:
    """A VITS of coqui-tts that reads letters."""
    import torch
    from safetensors.torch import save_file
    from TTS.config.shared_configs import BaseAudioConfig
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import CharactersConfig, Vits, VitsArgs

    folder.mkdir(parents=True, exist_ok=True)
    arguments = VitsArgs(
        hidden_channels=16, hidden_channels_ffn_text_encoder=32, num_heads_text_encoder=2,
        num_layers_text_encoder=1, num_layers_posterior_encoder=2, num_layers_flow=2,
        upsample_rates_decoder=[8, 8], upsample_kernel_sizes_decoder=[16, 16],
        upsample_initial_channel_decoder=16, resblock_kernel_sizes_decoder=[3],
        resblock_dilation_sizes_decoder=[[1, 3, 5]], init_discriminator=False,
    )  # fmt: skip
    config = VitsConfig(
        model_args=arguments,
        audio=BaseAudioConfig(hop_length=64),
        use_phonemes=False,
        text_cleaner="basic_cleaners",
        characters=CharactersConfig(
            characters_class="TTS.tts.models.vits.VitsCharacters",
            pad="<PAD>", eos=None, bos=None, blank="<BLNK>", phonemes="",
            characters="".join(one for one in _LETTERS if one.isalnum()),
            punctuations=".,!?;:'-¿¡ ",
        ),
    )  # fmt: skip
    torch.manual_seed(seed)
    model = Vits.init_from_config(config)
    _louden(model)
    config.save_json(str(folder / "config.json"))
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()},
        folder / "model.safetensors",
    )
    return folder


def _louden(model: Any) -> None:
    """Give a VITS' last steps weights from which something is heard, and flows that move."""
    import torch

    for name, parameter in model.named_parameters():
        if "conv_post" in name and "speaker" not in name:
            torch.nn.init.normal_(parameter, std=0.05)
        elif "flow" in name and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)


def _enliven(gpt: Any, end_after: float | None) -> None:
    """Scale the weights so that tokens vary, and let the end's logit grow with the position."""
    import torch

    for name, parameter in gpt.named_parameters():
        if name.endswith("_pos_embedding.emb.weight") or name.endswith("_embedding.weight"):
            torch.nn.init.normal_(parameter, std=0.5)
        elif name.startswith("gpt.") and parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=1.5 * parameter.shape[0] ** -0.5)
    torch.nn.init.normal_(gpt.mel_head.weight, std=0.5)
    with torch.no_grad():
        gpt.mel_head.bias[gpt.stop_audio_token] = -100.0
        if end_after is None:
            return
        direction = torch.nn.functional.normalize(torch.randn(gpt.model_dim), dim=0)
        positions = gpt.mel_pos_embedding.emb.weight
        places = torch.arange(len(positions))[:, None] / end_after
        positions += _SLOPE * places * direction
        gpt.mel_head.weight[gpt.stop_audio_token] = direction * 4.0
        gpt.mel_head.bias[gpt.stop_audio_token] = -12.0


def _xtts_tokenizer() -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE

    special = ["[STOP]", "[UNK]", "[SPACE]", "[START]", *(f"[{one}]" for one in XTTS_LANGUAGES)]
    vocabulary = {token: at for at, token in enumerate([*special, *_LETTERS])}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], unk_token="[UNK]"))  # noqa: S106
    tokenizer.add_special_tokens(special)
    return tokenizer
