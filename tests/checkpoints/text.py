"""Tiny random checkpoints of the text models in their real formats, tokenizers included.

Each function writes a folder that the model's own classes open by path, and returns it. The weights
are drawn wide enough that every token depends on the text and on what was written before, and that
texts end at different lengths.
"""

from __future__ import annotations

import io
import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

LANGUAGE_CODES = ("en", "de", "fr", "it", "es", "zh")
NLLB_CODES = ("eng_Latn", "deu_Latn", "fra_Latn", "ita_Latn", "spa_Latn", "zho_Hans")
SEAMLESS_CODES = ("eng", "deu", "fra", "ita", "spa", "cmn")
_WIDTH = 16
_END = 2.5
"""Of the end's row among the output weights; found by trial, so that some texts end early."""
_SIZES: dict[str, Any] = {
    "d_model": _WIDTH,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
}
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}</s>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


TEXT_LABELS = ("anger", "joy", "neutral", "sadness")


def write(folder: Path) -> None:
    """Write all of them below a folder, under the names that the smoke recipe uses."""
    tiny_nllb(folder / "nllb")
    tiny_m2m100(folder / "m2m100")
    tiny_madlad(folder / "madlad")
    tiny_marian(folder / "marian")
    tiny_seamless(folder / "seamless")
    tiny_llama_chat(folder / "llm")
    tiny_text_classifier(folder / "text-emotion", TEXT_LABELS)


def tiny_nllb(folder: Path, seed: int = 0) -> Path:
    """An NLLB: an M2M-100 whose languages are named by FLORES codes."""
    import transformers

    _write_spm(folder / "sentencepiece.bpe.model")
    tokenizer = transformers.NllbTokenizer.from_pretrained(
        folder, additional_special_tokens=list(NLLB_CODES)
    )
    tokenizer.save_pretrained(folder)
    config = transformers.M2M100Config(
        vocab_size=len(tokenizer), max_position_embeddings=128, **_SIZES
    )
    model = transformers.M2M100ForConditionalGeneration(config)
    model.generation_config.suppress_tokens = [tokenizer.unk_token_id]  # trained ones seldom do
    return _save(model, folder, seed)


def tiny_m2m100(folder: Path, seed: int = 0) -> Path:
    """An M2M-100 with its own tokenizer, which has a token for each of its hundred languages."""
    import transformers
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

    _write_spm(folder / "sentencepiece.bpe.model")
    specials = ("<s>", "<pad>", "</s>", "<unk>")
    _write_vocabulary(folder / "vocab.json", (*specials, *_pieces()))
    languages = FAIRSEQ_LANGUAGE_CODES["m2m100"]
    tokenizer = transformers.M2M100Tokenizer.from_pretrained(
        folder, additional_special_tokens=[f"__{code}__" for code in languages]
    )
    tokenizer.save_pretrained(folder)
    size = max(tokenizer.lang_token_to_id.values()) + 1 + tokenizer.num_madeup_words
    config = transformers.M2M100Config(vocab_size=size, max_position_embeddings=128, **_SIZES)
    return _save(transformers.M2M100ForConditionalGeneration(config), folder, seed)


def tiny_madlad(folder: Path, seed: int = 0) -> Path:
    """A T5 with tokens <2de> and so on, and with MADLAD-400's numbers: `<unk>` begins a text."""
    import transformers

    targets = [f"<2{code}>" for code in LANGUAGE_CODES]
    _write_spm(
        folder / "spiece.model", model_type="unigram", unk_id=0, bos_id=1, eos_id=2, pad_id=-1,
        user_defined_symbols=targets,
    )  # fmt: skip
    tokenizer = transformers.T5Tokenizer.from_pretrained(folder, extra_ids=0, pad_token="<s>")  # noqa: S106
    tokenizer.save_pretrained(folder)
    config = transformers.T5Config(
        vocab_size=len(tokenizer), d_model=_WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
        decoder_start_token_id=0, pad_token_id=1, eos_token_id=2, feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
    )  # fmt: skip
    model = transformers.T5ForConditionalGeneration(config)
    model.generation_config.suppress_tokens = [0]  # trained ones seldom write it
    return _save(model, folder, seed)


def tiny_marian(folder: Path, seed: int = 0, targets: tuple[str, ...] = ()) -> Path:
    """An OPUS-MT model of one pair; `targets`: tokens such as >>cmn_Hans<< of one with several."""
    import transformers

    for name in ("source.spm", "target.spm"):
        _write_spm(folder / name)
    _write_vocabulary(folder / "vocab.json", ("</s>", "<unk>", *_pieces(), *targets, "<pad>"))
    tokenizer = transformers.MarianTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    pad = tokenizer.pad_token_id
    config = transformers.MarianConfig(
        vocab_size=len(tokenizer), max_position_embeddings=512, pad_token_id=pad, eos_token_id=0,
        forced_eos_token_id=0, decoder_start_token_id=pad, scale_embedding=True, **_SIZES,
    )  # fmt: skip
    model = transformers.MarianMTModel(config)
    model.generation_config.bad_words_ids = [[pad]]
    return _save(model, folder, seed)


def tiny_seamless(folder: Path, seed: int = 0) -> Path:
    """The text parts of a SeamlessM4T v2."""
    import transformers

    _write_spm(folder / "sentencepiece.bpe.model")
    tokenizer = transformers.SeamlessM4TTokenizer.from_pretrained(
        folder, additional_special_tokens=[f"__{code}__" for code in SEAMLESS_CODES]
    )
    tokenizer.save_pretrained(folder)
    config = transformers.SeamlessM4Tv2Config(
        vocab_size=len(tokenizer), hidden_size=_WIDTH, max_position_embeddings=128,
        encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=32,
    )  # fmt: skip
    model = transformers.SeamlessM4Tv2ForTextToText(config)
    ids = {code: tokenizer.convert_tokens_to_ids(f"__{code}__") for code in SEAMLESS_CODES}
    model.generation_config = transformers.GenerationConfig(
        decoder_start_token_id=3, bos_token_id=2, eos_token_id=3, pad_token_id=0,
        text_decoder_lang_to_code_id=ids,
    )  # fmt: skip
    return _save(model, folder, seed)


def tiny_llama_chat(folder: Path, seed: int = 0, chat_template: str | None = CHAT_TEMPLATE) -> Path:
    """A Llama that answers in a chat."""
    import transformers

    tokenizer = _fast_tokenizer()
    tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=_WIDTH, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, tie_word_embeddings=False,
    )  # fmt: skip
    return _save(transformers.LlamaForCausalLM(config), folder, seed)


def tiny_text_classifier(folder: Path, labels: tuple[str, ...], seed: int = 0) -> Path:
    """An XLM-RoBERTa that tells these labels apart by nothing but chance."""
    import transformers

    tokenizer = _fast_tokenizer()
    tokenizer.save_pretrained(folder)
    config = transformers.XLMRobertaConfig(
        vocab_size=len(tokenizer), hidden_size=_WIDTH, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=130, pad_token_id=tokenizer.pad_token_id,
        num_labels=len(labels), id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
    )  # fmt: skip
    return _save(transformers.XLMRobertaForSequenceClassification(config), folder, seed)


def pickle_weights(folder: Path) -> Path:
    """Put the safetensors of a folder into a pickle, as older checkpoints have them."""
    import torch
    from safetensors.torch import load_file

    weights = folder / "model.safetensors"
    torch.save(load_file(weights), folder / "pytorch_model.bin")
    weights.unlink()
    return folder


def _save(model: Any, folder: Path, seed: int) -> Path:
    """Draw the weights wide, give the end of text a chance, and write the folder."""
    import torch

    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2:
            wide = 1.0 if "embed" in name or "shared" in name else 2.0
            torch.nn.init.normal_(parameter, std=wide * parameter.shape[-1] ** -0.5)
    if model.get_output_embeddings() is not None:
        model.get_output_embeddings().weight.data[model.config.eos_token_id] *= _END
    model.save_pretrained(folder)
    return folder


def _fast_tokenizer() -> Any:
    """A Unigram tokenizer as `tokenizer.json` alone, the way current models come."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    specials = ["<pad>", "</s>", "<s>", "<unk>", "<|user|>", "<|assistant|>"]
    pieces = [(piece, -float(rank)) for rank, piece in enumerate(_pieces())]
    tokenizer = Tokenizer(models.Unigram([(one, 0.0) for one in specials] + pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    named = ("pad_token", "eos_token", "bos_token", "unk_token")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        additional_special_tokens=specials[4:],
        **dict(zip(named, specials, strict=False)),
    )


def _write_vocabulary(path: Path, tokens: tuple[str, ...]) -> None:
    path.write_text(json.dumps({token: place for place, token in enumerate(tokens)}))


def _pieces() -> tuple[str, ...]:
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_proto=_spm())
    return tuple(processor.id_to_piece(place) for place in range(3, len(processor)))


def _write_spm(path: Path, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_train(**options) if options else _spm())


@cache
def _spm() -> bytes:
    """A SentencePiece BPE model of 300 pieces over the Latin-script sentences of the quickstart."""
    return _train(model_type="bpe")


def _train(**options: Any) -> bytes:
    import sentencepiece

    table = files("pipeline.corpora").joinpath("quickstart.tsv").read_text(encoding="utf-8")
    cells = [cell for row in table.splitlines()[1:] for cell in row.split("\t")]
    latin = [cell for cell in cells if len(cell) > 3 and max(cell) < "ɐ"]
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(latin), model_writer=written, vocab_size=300, minloglevel=2,
        num_threads=1, hard_vocab_limit=False, **options,
    )  # fmt: skip
    return written.getvalue()
