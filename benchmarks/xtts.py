"""XTTS in batches against coqui-tts' own call, on a random checkpoint, in one run.

    python -m benchmarks.xtts [--texts 16] [--layers 2] [--width 64] [--tokens 40] [--device cpu]

Greedy on both sides, every text to the cap, so that both do the same work, after a first text that
is not timed. Prints seconds of the autoregressive part and of the whole call, vocoder included; how
far it has come goes to standard error. The default is the smallest checkpoint, about a minute on
two quiet cores; XTTS v2 has 30 layers of 1024, which take five. The vocoder has one size, whatever
the checkpoint's, and speaks one text at a time on both sides: the smaller the decoder, the more it
hides what batching gains. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.script import parser_of
from pipeline.audio import Clip
from pipeline.records import Failure
from pipeline.synthesis.base import SpeechRequest
from pipeline.synthesis.xtts.checkpoint import load_xtts
from pipeline.synthesis.xtts.conditioning import Conditioner, Conditioning
from pipeline.synthesis.xtts.engine import Reader
from pipeline.synthesis.xtts.generation import Sampling, generate, prompt_of
from pipeline.synthesis.xtts.text import encode
from tests.checkpoints.speech import tiny_xtts

_TEXT = "Die Kinder reden an der Tür, und keiner hört ihnen zu. "
_PENALTY = 5.0


class Bench:
    """One checkpoint, one voice, and both ways to speak."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        tiny_xtts(
            folder, layers=options.layers, width=options.width, heads=8,
            max_tokens=options.tokens, end_after=None,
        )  # fmt: skip
        self.model = load_xtts(folder, options.device, "float32")
        self.sampling = Sampling(0.0, 50, 0.85, _PENALTY, options.tokens)
        samples = np.random.default_rng(0).standard_normal(48_000).astype(np.float32) * 0.1
        self.clip = Clip(samples, 16_000, 1)
        self.texts = [_TEXT[: 20 + 2 * (number % 16)] for number in range(options.texts)]
        voice = Conditioner(self.model)([self.clip])
        if isinstance(voice, Failure):
            raise RuntimeError(voice.error)
        self.voice: Conditioning = voice
        self.reader = Reader(self.model, self.sampling, len(self.texts))

    def tokens(self, text: str) -> list[int]:
        """Of a text that can be read."""
        tokens = encode(self.model.tokenizer, text, "de")
        if isinstance(tokens, str):
            raise RuntimeError(tokens)
        return tokens

    def our_latents(self, most: int | None) -> None:
        """The first texts, or all, as one batch, without the vocoder."""
        with torch.inference_mode():
            gpt, texts = self.model.gpt, self.texts[:most]
            prompts = [prompt_of(gpt, self.voice.latents, self.tokens(text)) for text in texts]
            generate(gpt, prompts, [0] * len(prompts), self.sampling)

    def their_latents(self, most: int | None) -> None:
        """As `Xtts.inference` does before the vocoder: text by text, and the decoder twice."""
        gpt, latents = self.model.gpt, self.voice.latents[None]
        for text in self.texts[:most]:
            ids = torch.tensor([self.tokens(text)], device=self.model.device)
            with torch.no_grad():
                codes = gpt.generate(
                    cond_latents=latents, text_inputs=ids, do_sample=False, num_beams=1,
                    num_return_sequences=1, repetition_penalty=_PENALTY,
                )  # fmt: skip
                lengths = [torch.tensor([n]) for n in (ids.shape[1], codes.shape[1] * 1024)]
                gpt(ids, lengths[0], codes, lengths[1], cond_latents=latents, return_latent=True)

    def ours(self, most: int | None) -> None:
        """The engine's call."""
        own = (self.clip,)
        requests = [SpeechRequest(t, "de", "a", 0, references=own) for t in self.texts[:most]]
        self.reader.read(requests)

    def theirs(self, most: int | None) -> None:
        """`Xtts.inference` text by text."""
        speaker: Any = self.voice.speaker
        for text in self.texts[:most]:
            self.model.inference(
                text, "de", self.voice.latents[None], speaker, do_sample=False,
                repetition_penalty=_PENALTY,
            )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = parser_of(__doc__)
    for name, value in (("texts", 16), ("layers", 2), ("width", 64), ("tokens", 40)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    _say(f"making a checkpoint of {options.layers} layers of {options.width}")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, Path(folder))
    pairs = {
        "autoregressive part": (bench.our_latents, bench.their_latents),
        "whole call": (bench.ours, bench.theirs),
    }
    table = Table("", "ours s", "coqui-tts s", "ratio")
    ratios = []
    for name, (ours, theirs) in pairs.items():
        seconds = [_seconds(f"{name}, {by}", do) for by, do in (("ours", ours), ("theirs", theirs))]
        ratios.append(seconds[1] / seconds[0])
        table.add_row(name, *(f"{one:.2f}" for one in seconds), f"{ratios[-1]:.2f}")
    Console().print(table)
    names = ("xtts_generation_vs_upstream", "xtts_batched_vs_upstream")
    found = {name: round(ratio, 2) for name, ratio in zip(names, ratios, strict=True)}
    print(json.dumps({**found, "texts": options.texts}))


def _seconds(name: str, action: Callable[[int | None], None]) -> float:
    """Of all texts, after one that fills the caches."""
    action(1)
    start = time.perf_counter()
    action(None)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    _say(f"{name}: {seconds:.2f} s")
    return seconds


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


if __name__ == "__main__":
    main()
