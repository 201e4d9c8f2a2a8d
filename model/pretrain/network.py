"""The network and its losses: a Whisper, and heads that only the training needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, ctc_loss, log_softmax, pad
from whisper.model import ModelDimensions, Whisper, sinusoids
from whisper.tokenizer import get_tokenizer

from model.pretrain.batches import IGNORED, N_MELS, PHONES, Batch
from model.pretrain.text import TAUGHT
from pipeline.whisper.encoding import encoder_frames
from pipeline.whisper.spelling import APOSTROPHE, LETTERS
from pipeline.whisper.vocabulary import EMBEDDING

N_VOCAB = 51865
"""Of the multilingual tokenizer."""
ALPHABET = " " + APOSTROPHE + LETTERS
_PROMPT = 4
"""<|startoftranscript|>, language, <|transcribe|>, <|notimestamps|>."""
_ALIGNED_HEADS = 2
_WEIGHTS = {"letters": 1.0, "phones": 1.0, "ctc": 0.3, "align": 0.3, "language": 0.1}


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; contexts in encoder frames of 20 ms, and in tokens."""

    width: int = 192
    heads: int = 6
    encoder_layers: int = 4
    decoder_layers: int = 2
    audio_context: int = 400
    text_context: int = 224

    def dims(self, n_vocab: int) -> ModelDimensions:
        """As openai-whisper names them."""
        return ModelDimensions(
            N_MELS, self.audio_context, self.width, self.heads, self.encoder_layers,
            n_vocab, self.text_context, self.width, self.heads, self.decoder_layers,
        )  # fmt: skip


def vocabulary() -> list[int]:
    """The tokens that the model knows: letters in the alphabet's order, languages, marks."""
    tokenizer = get_tokenizer(True)
    letters = [token for letter in ALPHABET for token in tokenizer.encode(letter)]
    languages = [tokenizer.to_language_token(language) for language in TAUGHT]
    marks = [tokenizer.sot, tokenizer.transcribe, tokenizer.no_timestamps, tokenizer.eot]
    return [*letters, *languages, *marks]


class Pretraining(nn.Module):
    """A Whisper whose vocabulary has the known tokens only, and two heads on its encoder.

    `phones`: which phone a frame is, asked of the last block but one; `spelled`: CTC over letters
    (Graves et al. 2006), asked of the encoder's output, as in Kim, Hori and Watanabe 2017.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.vocabulary = vocabulary()
        self.whisper = Whisper(shape.dims(len(self.vocabulary)))
        self.phones = nn.Linear(shape.width, PHONES)
        self.spelled = nn.Linear(shape.width, len(ALPHABET) + 1)
        self._hears = False
        decoder = self.whisper.decoder
        with torch.no_grad():
            decoder.positional_embedding.copy_(0.3 * sinusoids(shape.text_context, shape.width))
            nn.init.normal_(decoder.token_embedding.weight, std=shape.width**-0.5)
            self.spelled.bias[-1] = 5.0  # CTC begins with blanks, not with a loss that drowns all
            decoder.ln.bias.fill_(0.1)  # unused rows are restored by it: it may not be zero
        self._seen: dict[str, Tensor] = {}
        self._watch("phones", self.whisper.encoder.blocks[-2])
        for number, block in enumerate(decoder.blocks):
            self._watch(f"query{number}", block.cross_attn.query)
            self._watch(f"key{number}", block.cross_attn.key)

    def begin_from(self, model: Whisper) -> None:
        """Take over a trained model, to learn its spelling alone.

        Decoder layers that it lacks begin as identity. It hears already: its encoder but for the
        last block stays as it is, and the encoder's heads are not asked.

        Raises:
            ValueError: its other sizes are not this network's, or it has more decoder layers.
        """
        own = self.whisper.dims
        layers, theirs = own.n_text_layer, model.dims.n_text_layer
        if theirs > layers or replace(own, n_vocab=N_VOCAB, n_text_layer=theirs) != model.dims:
            raise ValueError(f"{model.dims} does not fit into {own}")
        state = {name: value.float() for name, value in model.state_dict().items()}
        state[EMBEDDING] = state[EMBEDDING][self.vocabulary]
        self.whisper.load_state_dict({**self.whisper.state_dict(), **state})
        encoder, decoder = self.whisper.encoder, self.whisper.decoder
        for block in decoder.blocks[theirs:]:
            for last in (block.attn.out, block.cross_attn.out, block.mlp[-1]):
                nn.init.zeros_(last.weight)
                nn.init.zeros_(last.bias)
        self._hears = True
        for module in (self.phones, self.spelled, encoder.conv1, encoder.conv2):
            module.requires_grad_(False)
        encoder.blocks[:-1].requires_grad_(False)

    def forward(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """Losses by name, `total` among them; and the mean letter loss of each clip [B]."""
        frames = encoder_frames(self.whisper.encoder, batch.mel)
        sequence = self._sequence(batch)
        logits = self.whisper.decoder(sequence, frames)
        own = self._letter_losses(logits, batch)
        counts = (own != 0).sum(1)
        losses = {
            "letters": own.sum() / counts.sum(),
            "align": self._alignment(batch),
            "language": cross_entropy(logits[:, 0], len(ALPHABET) + batch.languages),
        }
        if not self._hears:
            heard = self.phones(self._seen["phones"])
            losses["phones"] = cross_entropy(heard.flatten(0, 1), batch.phones.flatten())
            losses["ctc"] = self._ctc(frames, batch)
        losses["total"] = torch.stack(
            [_WEIGHTS[name] * value for name, value in losses.items()]
        ).sum()
        return losses, (own.sum(1) / counts).detach()

    def _sequence(self, batch: Batch) -> Tensor:
        """What the decoder reads [B, 4 + L]: the prompt and the letters."""
        marks = len(ALPHABET) + len(TAUGHT)
        prompt = torch.tensor([marks, 0, marks + 1, marks + 2]).repeat(len(batch.languages), 1)
        prompt[:, 1] = len(ALPHABET) + batch.languages
        return torch.cat([prompt, batch.letters.clamp(min=0)], dim=1)

    def _letter_losses(self, logits: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy [B, L + 1] of each letter and of the end of text, 0 behind it."""
        wanted = pad(batch.letters, (0, 1), value=IGNORED)
        ends = (batch.letters != IGNORED).sum(1, keepdim=True)
        wanted = wanted.scatter(1, ends, len(self.vocabulary) - 1)
        found = logits[:, _PROMPT - 1 :].transpose(1, 2)
        return cross_entropy(found, wanted, ignore_index=IGNORED, reduction="none")

    def _ctc(self, frames: Tensor, batch: Batch) -> Tensor:
        counts = (batch.letters != IGNORED).sum(1)
        log_probs = log_softmax(self.spelled(frames), dim=-1).transpose(0, 1)
        losses = ctc_loss(
            log_probs,
            batch.letters.clamp(min=0),
            batch.frames,
            counts,
            blank=len(ALPHABET),
            reduction="none",
            zero_infinity=True,
        )
        return losses.sum() / counts.sum().clamp(min=1)

    def _alignment(self, batch: Batch) -> Tensor:
        """How little of some heads' cross-attention lies where the next letter is heard."""
        there = (batch.letters != IGNORED)[:, None]
        elsewhere = ~batch.heard[:, None]
        losses = []
        for number in range(len(self.whisper.decoder.blocks)):
            query = self._split(self._seen[f"query{number}"])[:, :, _PROMPT - 1 : -1]
            key = self._split(self._seen[f"key{number}"])
            scores = query @ key.transpose(2, 3) * key.shape[-1] ** -0.5
            inside = scores.masked_fill(elsewhere, -1e4).logsumexp(-1)
            losses.append(((scores.logsumexp(-1) - inside) * there).sum())
        return torch.stack(losses).sum() / (there.sum().clamp(min=1) * _ALIGNED_HEADS * len(losses))

    def _split(self, projected: Tensor) -> Tensor:
        """The supervised heads [B, H, N, D / heads] of a projection [B, N, D]."""
        heads = self.whisper.dims.n_text_head
        split = projected.view(*projected.shape[:2], heads, -1)
        return split.transpose(1, 2)[:, :_ALIGNED_HEADS]

    def _watch(self, name: str, module: nn.Module) -> None:
        """Keep what a module gives, of the last forward pass."""

        def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            self._seen[name] = output

        module.register_forward_hook(keep)


def complete(weights: dict[str, Tensor], shape: Shape) -> Whisper:
    """A Whisper with the whole vocabulary, in float16, from the weights of a `Pretraining`."""
    prefix = "whisper."
    own = {name: value for name, value in weights.items() if name.startswith(prefix)}
    state = {name.removeprefix(prefix): value for name, value in own.items()}
    rows = torch.zeros(N_VOCAB, shape.width)
    rows[vocabulary()] = state[EMBEDDING].float()
    model = Whisper(shape.dims(N_VOCAB))
    model.load_state_dict({**state, EMBEDDING: rows})
    return model.half()
