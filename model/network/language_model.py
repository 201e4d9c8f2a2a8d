"""The language model that names the emotion, and its tokenizer.

Shapes: B prefixes, P positions of a prefix (prompt and speech), L words, W tokens of a word, H the
model's width, V its vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from model.losses import token_log_likelihood
from model.recipe.architecture import Lora, PretrainedLlama, TinyLlama
from pipeline.errors import InputError
from pipeline.pretrained.named import ModelError, model_folder
from pipeline.pretrained.transformer import open_config, open_model, open_tokenizer


class LanguageModel(nn.Module):
    """A LLaMA with its tokenizer: embeds, scores words, and embeds texts."""

    def __init__(self, llama: Any, tokenizer: Any, frozen: bool) -> None:
        super().__init__()
        self.llama = llama
        self.tokenizer = tokenizer
        self.frozen = frozen
        """Whether no weight of its own is trained; adapters may be."""

    @property
    def width(self) -> int:
        """H."""
        return int(self.llama.config.hidden_size)

    def train(self, mode: bool = True) -> LanguageModel:
        """As in torch, but frozen layers stay in eval mode; adapters' dropout does not."""
        super().train(mode)
        if self.frozen:
            self.llama.eval()
            for name, module in self.llama.named_modules():
                # A decoder layer is only checkpointed in train mode; it has no dropout of its own.
                if name.endswith("lora_dropout.default") or _is_checkpointed(module):
                    module.training = mode
        return self

    def tokens(self, text: str, start: bool = False) -> list[int]:
        """Tokens of a text, with the sentence start in front where `start` and the model has it."""
        first = self.tokenizer.bos_token_id
        found: list[int] = self.tokenizer(text, add_special_tokens=False).input_ids
        return [first, *found] if start and first is not None else found

    def words(self, words: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Answers as tokens [L, W] that end with the end of text, and their mask.

        The end counts, so that no word gains by being the beginning of another.
        """
        rows = [[*self.tokens(f" {word}"), self.tokenizer.eos_token_id] for word in words]
        tokens = pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        return tokens, torch.arange(tokens.shape[1]) < lengths[:, None]

    def embed(self, tokens: Tensor) -> Tensor:
        """Input embeddings [..., H]."""
        embedded: Tensor = self.llama.get_input_embeddings()(tokens)
        return embedded

    def score(self, prefix: Tensor, mask: Tensor, tokens: Tensor, counted: Tensor) -> Tensor:
        """Log-likelihood [B, L] of words after a prefix, each as if it stood there alone.

        `prefix` [B, P, H] with `mask` [B, P], whose last position is there; `tokens` and `counted`
        [B, L, W]. All words lie behind one prefix in one pass, each sees the prefix and itself: the
        prefix is computed once and not L times.
        """
        places, count, size = prefix.shape[1], tokens.shape[1], tokens.shape[2]
        behind = self.embed(tokens.flatten(1)).to(prefix.dtype)
        hidden = self.llama.model(
            inputs_embeds=torch.cat([prefix, behind], dim=1),
            attention_mask=_packed_mask(mask, count, size, prefix.dtype),
            position_ids=_packed_positions(mask, count, size),
            use_cache=False,
        ).last_hidden_state
        own = hidden[:, places:].unflatten(1, (count, size))
        before = hidden[:, places - 1, None, None].expand(-1, count, 1, -1)
        logits = self.llama.lm_head(torch.cat([before, own[:, :, :-1]], dim=2))
        return token_log_likelihood(logits, tokens, counted)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embeddings [T, H] of texts: the mean of the last layer over a text's own tokens.

        The sentence start, which all texts share, is read and not counted: in LLaMA it is far from
        all else (Xiao et al. 2023, arXiv 2309.17453, attention sinks), and would weigh as much as
        a word. Speech moves to the texts and not they to it, so no gradient flows here.
        """
        rows = [torch.tensor(self.tokens(text, start=True)) for text in texts]
        tokens = pad_sequence(rows, batch_first=True).to(self.llama.device)
        lengths = torch.tensor([len(row) for row in rows], device=tokens.device)
        place = torch.arange(tokens.shape[1], device=tokens.device)
        mask = place < lengths[:, None]
        hidden = self.llama.model(input_ids=tokens, attention_mask=mask.long(), use_cache=False)
        own = mask & (place >= len(self.tokens("", start=True)))
        weights = own[..., None].to(hidden.last_hidden_state.dtype)
        mean: Tensor = (hidden.last_hidden_state * weights).sum(dim=1) / weights.sum(dim=1)
        return mean


def _is_checkpointed(module: nn.Module) -> bool:
    return bool(getattr(module, "gradient_checkpointing", False))


def need_language_model(settings: PretrainedLlama | TinyLlama) -> None:
    """Have the files of a recipe's language model here, before anything long is begun.

    Raises:
        InputError: they can't be had, are no LLaMA's, or have no layers for the recipe's adapters.
    """
    if not isinstance(settings, PretrainedLlama):
        return
    config = open_config(_llama_folder(settings))
    if settings.lora:
        from transformers import LlamaForCausalLM

        with torch.device("meta"):  # layers by name, and no memory for them
            _add_adapters(LlamaForCausalLM(config), settings.lora)


def load_language_model(settings: PretrainedLlama | TinyLlama) -> LanguageModel:
    """The language model of a recipe, frozen but for adapters, or whole where it is tiny.

    Raises:
        InputError: the checkpoint can't be had, or is not a LLaMA.
    """
    if isinstance(settings, TinyLlama):
        return _make_tiny(settings)
    return _load_pretrained(settings)


def _make_tiny(settings: TinyLlama) -> LanguageModel:
    from transformers import ByT5Tokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = ByT5Tokenizer(extra_ids=0)  # bytes: no vocabulary file
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.width,
        intermediate_size=4 * settings.width,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        return LanguageModel(LlamaForCausalLM(config), tokenizer, frozen=False)


def _load_pretrained(settings: PretrainedLlama) -> LanguageModel:
    folder = _llama_folder(settings)
    with _of_the_recipe():
        llama = open_model("LlamaForCausalLM", folder, "cpu", settings.dtype)
        tokenizer = open_tokenizer(folder)
    if settings.lora:
        _add_adapters(llama, settings.lora)
    return LanguageModel(llama, tokenizer, frozen=True)


def _llama_folder(settings: PretrainedLlama) -> Path:
    """The folder of a LLaMA's files, downloaded where they are missing."""
    revision = None if Path(settings.model).is_dir() else settings.revision
    with _of_the_recipe():
        folder = model_folder(settings.model, revision)
        kind = open_config(folder).model_type
        if kind != "llama":
            raise ModelError(f"model: '{settings.model}' is a {kind}, not a llama")
        if open_tokenizer(folder).eos_token_id is None:
            raise ModelError(
                f"model: the tokenizer of '{settings.model}' has no end of text, which ends an "
                "answer; name a checkpoint whose tokenizer_config.json has an eos_token"
            )
    return folder


@contextmanager
def _of_the_recipe() -> Iterator[None]:
    """Name the field as it stands in a training recipe."""
    try:
        yield
    except ModelError as error:
        raise InputError(f"language_model.{error}") from error


def _add_adapters(llama: Any, lora: Lora) -> None:
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.modules),
    )
    try:
        inject_adapter_in_model(config, llama)
    except ValueError as error:
        raise InputError(
            f"language_model.lora.modules: {', '.join(lora.modules)}: the LLaMA has no such layers "
            f"({error}); its attention has q_proj, k_proj, v_proj and o_proj"
        ) from error
    for parameter in llama.parameters():
        if parameter.requires_grad:  # AdamW's small steps vanish in half precision
            parameter.data = parameter.data.float()


def _packed_mask(mask: Tensor, count: int, size: int, dtype: torch.dtype) -> Tensor:
    """Additive mask [B, 1, P + L W, P + L W]: causal, no word sees another, no gap is seen."""
    places = mask.shape[1]
    word = torch.arange(count, device=mask.device).repeat_interleave(size)
    owner = torch.cat([torch.full((places,), -1, device=mask.device), word])
    causal = torch.ones(len(owner), len(owner), dtype=torch.bool, device=mask.device).tril()
    seen = causal & ((owner[None] == -1) | (owner[None] == owner[:, None]))
    there = torch.nn.functional.pad(mask, (0, count * size), value=True)
    itself = torch.eye(len(owner), dtype=torch.bool, device=mask.device)
    allowed = (seen & there[:, None, :]) | itself  # a gap sees itself: a softmax needs something
    lowest = torch.finfo(dtype).min
    return torch.where(allowed, 0.0, lowest).to(dtype)[:, None]


def _packed_positions(mask: Tensor, count: int, size: int) -> Tensor:
    """Positions [B, P + L W] without gaps; every word begins right after the prefix."""
    own = (mask.long().cumsum(dim=1) - 1).clamp(min=0)
    behind = torch.arange(size, device=mask.device).repeat(count)
    return torch.cat([own, mask.sum(dim=1, keepdim=True) + behind], dim=1)
