"""Make the small Whisper that ships with m5ser, from nothing, in two parts.

    python -m model.pretrain_whisper sounds --out builds/sounds
    python -m model.pretrain_whisper spelling --sentences DIR --out builds/spelling \
        --start builds/sounds/small-espeak.safetensors

`sounds` learns from random words, which espeak-ng reads aloud; nothing is downloaded. `spelling`
goes on with sentences that people wrote, those of DIR/en/*.txt, DIR/de/*.txt and so on, as in
`server/data` of github.com/mozilla/common-voice (CC0); others may lie beside them. Killed, a part
goes on from its last chunk. Its checkpoint can be used at any moment.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from model.pretrain.loop import Settings, State, train
from model.pretrain.network import Shape
from model.pretrain.text import TAUGHT

NAME = "small-espeak.safetensors"
SPELLING = Shape(decoder_layers=4)
"""Two more layers than the first part has, to hold words."""

app = typer.Typer(add_completion=False, help=__doc__)
Out = Annotated[Path, typer.Option(help="Folder of the training and its checkpoint.")]
Clips = Annotated[int, typer.Option(min=1, help="How many to learn from.")]


@app.command()
def sounds(out: Out, clips: Clips = 108_800, seed: int = 0) -> None:
    """Learn what the languages sound like, and their letters, from random words."""
    _train(Settings(clips=clips, seed=seed), out)


@app.command()
def spelling(
    out: Out,
    sentences: Annotated[Path, typer.Option(help="Folder with en/*.txt, de/*.txt and so on.")],
    start: Annotated[str, typer.Option(help="Checkpoint of the first part.")] = "small-espeak",
    clips: Clips = 279_040,
    seed: int = 0,
) -> None:
    """Learn where words end and how they are spelled, from sentences; phones are known by then."""
    settings = Settings(
        clips=clips,
        seed=seed,
        shape=SPELLING,
        chunk=1280,
        learning_rate=6e-4,
        decay_from=0.1,
        longest=12,
        ema=0.998,
        sentences=str(sentences),
        start=start,
    )
    _train(settings, out)


def _train(settings: Settings, out: Path) -> None:
    """Train, and write the checkpoint after every chunk of clips."""
    torch.set_num_threads(2)
    out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()

    def tell(state: State) -> None:
        found = state.history[-1]
        known = [name for name in ("letters", "phones", "ctc") if name in found]
        losses = "  ".join(f"{name} {found[name]:.3f}" for name in known)
        each = " ".join(f"{name} {found[name]:.2f}" for name in TAUGHT)
        done = len(state.history)
        minutes = (time.monotonic() - start) / 60
        sys.stderr.write(f"{done}/{settings.chunks}  {minutes:.1f} min  {losses}  {each}\n")

    train(settings, out / "training.pt", out / NAME, tell)


if __name__ == "__main__":
    app()
