"""Training steps against the plain loop that SALMONN and others run, on the same clips and model.

    python -m benchmarks.training
    python -m benchmarks.training --width 512 --layers 6 --heads 8      Whisper base

The plain loop pads every clip to 30 s and runs Whisper on it in every epoch, and its Q-Former reads
all 1500 frames. `cached_vs_loop` is ours with the encoder's frames on disk, `uncached_vs_loop` ours
with audio on disk and the encoder at every step: samples a second over those of the loop. Weights
are random; what a step costs doesn't depend on them. Neither side counts the filling of the cache.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.script import parser_of
from model.data.clip_set import Batch, ClipSet
from model.data.load import load_clips
from model.network.encoder import FrozenEncoder, load_encoder
from model.network.ser import make_model, trained_parameters
from model.recipe.architecture import RandomEncoder
from model.recipe.sets import DataSettings, FolderSet
from model.recipe.training import TrainingRecipe
from model.training.objective import Objective
from pipeline.audio import encode_flac
from pipeline.dataset.shards import ShardWriter, kept_schema
from pipeline.emotions import EMOTIONS

RATE_HZ = 16_000
BATCH = 8
Batches = Iterator[Batch]


def write_set(folder: Path, clips: int, length_s: tuple[float, float] = (2.0, 5.0)) -> None:
    """A dataset folder of noise that lasts 2 to 5 s, as sentences do, or as is said."""
    random = np.random.default_rng(0)
    with ShardWriter(folder / "data" / "en" / "train", kept_schema([], RATE_HZ), clips, clips) as w:
        for number in range(clips):
            samples = random.normal(0, 0.05, int(random.uniform(*length_s) * RATE_HZ))
            audio = encode_flac(samples.astype(np.float32), RATE_HZ)
            w.write(
                {
                    "take_id": f"take-{number}",
                    "source_id": f"source-{number}",
                    "emotion": EMOTIONS[number % len(EMOTIONS)],
                    "language": "en",
                    "speaker_id": f"speaker-{number % 4}",
                    "corpus": "noise",
                    "is_synthetic": True,
                    "audio": {"bytes": audio, "path": f"{number}.flac"},
                }
            )


def recipe_of(folder: Path, encoder: RandomEncoder) -> TrainingRecipe:
    """A Q-Former of SALMONN's depth over the encoder, and the quickstart's small LLaMA."""
    return TrainingRecipe.model_validate(
        {
            "name": "benchmark",
            "data": {"sets": [{"engine": "folder", "path": str(folder)}]},
            "encoder": encoder.model_dump(),
            "qformer": {"queries": 8, "layers": 2, "width": 96, "heads": 4},
            "language_model": {"engine": "tiny", "width": 96},
            "stages": [{"name": "one", "steps": 1}],
        }
    )


def ours(clips: ClipSet) -> Batches:
    """Our batches, each clip once."""
    for start in range(0, len(clips), BATCH):
        yield clips.batch(np.arange(start, min(start + BATCH, len(clips))))


def plain(audio: ClipSet, encoder: FrozenEncoder) -> Batches:
    """Batches of the plain loop: `pad_or_trim`, Whisper's own forward, and 1500 frames a clip."""
    import whisper

    for start in range(0, len(audio), BATCH):
        numbers = np.arange(start, min(start + BATCH, len(audio)))
        mels = [
            whisper.log_mel_spectrogram(whisper.pad_or_trim(samples), encoder.whisper.dims.n_mels)
            for samples in audio.audio(numbers)
        ]
        with torch.no_grad():
            frames = encoder.whisper.encoder(torch.stack(mels))
        lengths = torch.full((len(numbers),), frames.shape[1])
        columns = {
            name: torch.from_numpy(values[numbers].astype(np.int64))
            for name, values in vars(audio.rows).items()
        }
        yield Batch(frames, lengths, **columns)


def samples_per_s(recipe: TrainingRecipe, width: int, batches: Callable[[], Batches]) -> float:
    """Samples a second of one epoch of training steps, after a step that isn't counted."""
    objective = Objective(make_model(recipe, width), recipe.labels, 4, recipe.shared_width)
    optimizer = torch.optim.AdamW(trained_parameters(objective).values(), lr=1e-4)

    def step(batch: Batch) -> int:
        tokens = objective.word_tokens(batch.emotions)
        found = objective(batch, recipe.stages[0].losses, recipe.prompts[0], 0.0, tokens)
        found["total"].backward()
        optimizer.step()
        optimizer.zero_grad()
        return len(batch.lengths)

    step(next(batches()))
    started = time.perf_counter()
    done = sum(step(batch) for batch in batches())
    return done / (time.perf_counter() - started)


def main() -> None:
    """Measure the three sides in one run, and print the ratios."""
    parser = parser_of(__doc__)
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--width", type=int, default=384, help="of the encoder (Whisper tiny)")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=6)
    given = parser.parse_args()
    settings = RandomEncoder(width=given.width, layers=given.layers, heads=given.heads)
    encoder = load_encoder(settings)
    with tempfile.TemporaryDirectory() as place:
        write_set(Path(place) / "set", given.clips)
        recipe = recipe_of(Path(place) / "set", settings)
        cached, audio = (_load(recipe, encoder, Path(place) / "cache", kind) for kind in _KINDS)
        sides = {
            "frames cached": lambda: ours(cached),
            "encoder at every step": lambda: ours(audio),
            "plain loop": lambda: plain(audio, encoder),
        }
        rates = {name: samples_per_s(recipe, encoder.width, side) for name, side in sides.items()}
    _print(rates, given.clips)


_KINDS = ("frames", "audio")


def _load(recipe: TrainingRecipe, encoder: FrozenEncoder, cache: Path, kind: str) -> ClipSet:
    sets = [one.model_dump() for one in recipe.data.sets if isinstance(one, FolderSet)]
    data = DataSettings.model_validate({"sets": sets, "cache": kind})
    return load_clips(data, "train", recipe.labels, encoder, cache)


def _print(rates: dict[str, float], clips: int) -> None:
    table = Table("side", "samples/s", title=f"{clips} clips of 2 to 5 s")
    for name, rate in rates.items():
        table.add_row(name, f"{rate:.2f}")
    Console().print(table)
    cached, uncached, loop = rates.values()
    ratios = {"cached_vs_loop": cached / loop, "uncached_vs_loop": uncached / loop}
    print(json.dumps({name: round(ratio, 2) for name, ratio in ratios.items()}))


if __name__ == "__main__":
    main()
