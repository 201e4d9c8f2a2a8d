"""What a training recipe is worth on voices and sentences that it never heard: all of them in turn.

    python -m benchmarks.unheard_voices builds/quickstart [--recipe quickstart] [--set seed=1 ...]

The test split of the quickstart is two voices, too few to tell two recipes apart. Here every voice
of a dataset folder is held out once: the recipe is trained from nothing on the others, two of them
its validation, by which the best step is chosen, and none with a sentence of those held out. What
its sets say of rejects is done here too. Printed is the UA over all verdicts by language, its 95 %
interval by sentences, and what the model must beat: the majority, the MLP on mean and deviation of
its own frames, and a random forest (Breiman 2001) on the clips' measured prosody, which hears no
frame at all. About nine minutes on two cores; the last line is one JSON object.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import RandomForestClassifier

from benchmarks.script import parser_of
from model.data.clip_set import ClipSet
from model.data.clips import read_audio
from model.data.load import load_clips
from model.evaluation.baselines import frames_and_mlp, majority, summed_up
from model.evaluation.evaluate import ALL, COLUMNS, MAJORITY, MLP, MODEL, cells, measured
from model.evaluation.inference import verdicts
from model.network.encoder import load_encoder
from model.network.prosody import prosody_channels
from model.network.ser import make_model
from model.recipe.file import load_training_recipe
from model.recipe.sets import FolderSet
from model.recipe.training import TrainingRecipe
from model.training.loop import Trainer
from pipeline.metrics import measure
from pipeline.selection.choose import BEST_TAKE

FOREST = "measured prosody + forest"
_HELD_OUT = 2
"""Voices of a fold's test, and of its validation."""
_COLUMNS = ["take_id", "source_id", "emotion", "language", "speaker_id", "corpus", "is_synthetic"]


@dataclass(frozen=True)
class Fold:
    """The voices that are tested and those that choose the step; all others are trained on."""

    test: tuple[str, ...]
    validation: tuple[str, ...]


@dataclass(frozen=True)
class Answers:
    """Verdicts [N] by system on the tested clips of a fold."""

    clips: ClipSet
    said: dict[str, np.ndarray]


def folds_of(voices: Sequence[str]) -> Iterator[Fold]:
    """Each voice tested once, the next ones its validation."""
    for start in range(0, len(voices), _HELD_OUT):
        test = tuple(voices[start : start + _HELD_OUT])
        behind = (*voices[start + len(test) :], *voices[:start])
        yield Fold(test, behind[:_HELD_OUT])


def read_takes(dataset: Path, rejects: str) -> pa.Table:
    """The kept takes of a folder, and of its rejects `none`, the `spare` ones, or `all`."""
    columns = [*_COLUMNS, "audio"]
    kept = ds.dataset(sorted(dataset.glob("data/*/*.parquet"))).to_table(columns=columns)
    tables = [kept.append_column("kept", pa.array([True] * len(kept), pa.bool_()))]
    if rejects != "none":
        only = ds.field("reason") == BEST_TAKE if rejects == "spare" else None
        shards = sorted(dataset.glob("rejects/*/*.parquet"))
        spare = ds.dataset(shards).to_table(columns=columns, filter=only)
        tables.append(spare.append_column("kept", pa.array([False] * len(spare), pa.bool_())))
    return pa.concat_tables(tables)


def write_fold(takes: pa.Table, fold: Fold, folder: Path) -> None:
    """The takes as a dataset with a fold's splits, no sentence in two of them."""
    kept = takes["kept"].to_numpy()
    voice, sentence = (takes[name].to_numpy() for name in ("speaker_id", "source_id"))
    test = kept & np.isin(voice, fold.test)
    left = ~np.isin(voice, fold.test) & ~np.isin(sentence, sentence[test])
    validation = kept & left & np.isin(voice, fold.validation)
    train = left & ~np.isin(voice, fold.validation) & ~np.isin(sentence, sentence[validation])
    place = folder / "data" / "all"
    place.mkdir(parents=True)
    for split, mask in (("train", train), ("validation", validation), ("test", test)):
        pq.write_table(takes.filter(pa.array(mask)), place / f"{split}-00000.parquet")


def prosody_of(takes: pa.Table) -> dict[str, np.ndarray]:
    """By take, its profile as numbers [P]; zeros for what can't be measured."""
    clips = zip(takes["take_id"].to_pylist(), takes["audio"].to_pylist(), strict=True)
    return {
        name: np.nan_to_num(prosody_channels(read_audio(audio["bytes"], None)))
        for name, audio in clips
    }


def answer(recipe: TrainingRecipe, folder: Path, prosody: dict[str, np.ndarray]) -> Answers:
    """Train on a fold and ask all systems about its tested clips."""
    sets = (FolderSet(path=str(folder)),)
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"sets": sets})})
    encoder = load_encoder(recipe.encoder)
    cache, labels = folder / "frames", recipe.labels
    train = load_clips(recipe.data, "train", labels, encoder, cache)
    known = train.speaker_names
    validation = load_clips(recipe.data, "validation", labels, encoder, cache, known)
    test = load_clips(recipe.data, "test", labels, encoder, cache, known)
    trainer = Trainer(recipe, train, validation, folder / "model", lambda *_: None)
    model = trainer.run(make_model(recipe, encoder.width))
    forest = RandomForestClassifier(500, random_state=0)
    forest.fit([prosody[name] for name in train.names.to_pylist()], train.rows.emotions)
    said = {
        MODEL: verdicts(model, test, labels)[0].argmax(axis=1),
        MAJORITY: majority(train, test),
        MLP: frames_and_mlp(summed_up(train), summed_up(test)),
        FOREST: forest.predict([prosody[name] for name in test.names.to_pylist()]),
    }
    return Answers(test, said)


def main() -> None:
    """Hold every voice out once and print what the systems make of it."""
    parser = parser_of(__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--recipe", default="quickstart")
    parser.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE")
    arguments = parser.parse_args()
    recipe = load_training_recipe(arguments.recipe, arguments.set)
    rejects = {one.rejects for one in recipe.data.sets if isinstance(one, FolderSet)}
    takes = read_takes(arguments.dataset, max(rejects, default="none"))
    prosody = prosody_of(takes)
    folds = list(folds_of(sorted(set(takes["speaker_id"].to_pylist()))))
    found, console = [], Console(stderr=True)
    for number, fold in enumerate(folds, 1):
        with tempfile.TemporaryDirectory() as folder:
            write_fold(takes, fold, Path(folder))
            found.append(answer(recipe, Path(folder), prosody))
        own = measured(found[-1].said[MODEL], found[-1].clips)[ALL]
        console.print(f"{number}/{len(folds)} {', '.join(fold.test)}: UA {own.ua:.0%}")
    _print(found, len(recipe.labels))


def _print(found: Sequence[Answers], labels: int) -> None:
    languages = np.concatenate([one.clips.languages() for one in found])
    truth = np.concatenate([one.clips.rows.emotions for one in found])
    sources = np.concatenate([one.clips.sources() for one in found])
    table = Table(*COLUMNS)
    ratios: dict[str, dict[str, float]] = defaultdict(dict)
    for language in (ALL, *sorted(set(languages))):
        mask = (languages == language) | (language == ALL)
        for system in found[0].said:
            said = np.concatenate([one.said[system] for one in found])
            one = measure(truth[mask], said[mask], labels, sources[mask])
            table.add_row(language, system, *cells(one))
            ratios[system][language] = round(one.ua, 3)
    Console().print(table)
    print(json.dumps({"ua": ratios}))


if __name__ == "__main__":
    main()
