"""Make the small Whisper that ships with m5ser, from nothing.

    python -m model.pretrain_whisper --out builds/pretrain [--clips 108800] [--seed 0]

Nothing is downloaded: espeak-ng reads random words aloud. Killed, it goes on from its last chunk.
`small-espeak.safetensors` (and .json) in the folder can be used at any moment.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from model.pretrain.loop import Settings, State, train

NAME = "small-espeak.safetensors"


def main(
    out: Annotated[Path, typer.Option(help="Folder of the training and its checkpoint.")],
    clips: Annotated[int, typer.Option(min=1, help="How many to learn from.")] = 108_800,
    seed: int = 0,
) -> None:
    """Train, and write the checkpoint after every chunk of clips."""
    torch.set_num_threads(2)
    out.mkdir(parents=True, exist_ok=True)
    settings = Settings(clips=clips, seed=seed)
    start = time.monotonic()

    def tell(state: State) -> None:
        found = state.history[-1]
        losses = "  ".join(f"{name} {found[name]:.3f}" for name in ("letters", "phones", "ctc"))
        each = " ".join(
            f"{name} {found[name]:.2f}" for name in ("en", "de", "fr", "it", "es", "zh")
        )
        done = len(state.history)
        minutes = (time.monotonic() - start) / 60
        sys.stderr.write(f"{done}/{settings.chunks}  {minutes:.1f} min  {losses}  {each}\n")

    train(settings, out / "training.pt", out / NAME, tell)


if __name__ == "__main__":
    typer.run(main)
