"""`m5ser evaluate` and `m5ser predict`: a finished model on a split, or on some files."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table

from model.data.clip_set import ClipSet
from model.data.clips import UnusableAudio, read_audio
from model.data.load import load_clips
from model.data.rows import Split
from model.evaluation.baselines import readable
from model.evaluation.evaluate import Evaluation, Training, evaluate
from model.evaluation.inference import embed, predict, verdicts
from model.evaluation.report import write_evaluation
from model.export import Trained, load_trained, stage_models, write_card
from model.recipe.sets import AnySet, CorpusSet, DataSettings, FolderSet
from model.training.loop import heard_in
from pipeline.corpora.manifest import Manifest
from pipeline.emotions import EMOTIONS, Emotion
from pipeline.errors import InputError
from pipeline.languages import SOURCE, meant_language
from pipeline.pretrained.devices import Device

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
"""A code as BCP-47 writes it."""
_CHOSEN_BY = "validation, by which the best step was chosen"


@dataclass(frozen=True)
class Predictions:
    """Probabilities [N, L] of the labels for some files; `failed` are others, each with why."""

    files: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: np.ndarray
    failed: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        rounded = self.probabilities.astype(float).round(4)
        rows = [dict(zip(self.labels, row, strict=True)) for row in rounded.tolist()]
        failed = {file: {"error": why} for file, why in self.failed.items()}
        return {**dict(zip(self.files, rows, strict=True)), **failed}

    def print_to(self, console: Console) -> None:
        """For a person: a row a file, whose name is never cut; one line each where that is read on.

        A terminal folds names that leave no room for the rest.
        """
        if not self.files:
            return
        table = Table(
            Column("file", overflow="fold"), box=None, pad_edge=False, padding=(0, 1, 0, 0)
        )
        for name in ("emotion", *self.labels):
            table.add_column(name, no_wrap=True)
        for file, row in zip(self.files, self.probabilities, strict=True):
            table.add_row(file, self.labels[row.argmax()], *(f"{value:.2f}" for value in row))
        if not console.is_terminal:
            boundless = console.options.update(max_width=sys.maxsize, markup=False)
            table.width = Measurement.get(console, boundless, table).maximum
        console.print(table, crop=False, markup=False)


@dataclass(frozen=True)
class Tested:
    """What a model is held against.

    `place`: a dataset folder's test split, or all of a manifest's recordings, in a `language`
    (none: English) and with `labels`, the list's own words by ours (none: the test split of the
    recipe's own sets).
    """

    place: Path | None = None
    language: str | None = None
    labels: Mapping[str, Emotion] = field(default_factory=dict)

    @property
    def spoken(self) -> str:
        """The language of a manifest's recordings."""
        return SOURCE if self.language is None else self.language

    def need(self) -> None:
        """Refuse a place where nothing is, before anything long is begun.

        Raises:
            InputError: nothing is there.
        """
        if self.place is not None and not self.place.exists():
            raise InputError(
                f"'{self.place}' is not there: DATA is a dataset folder or a list of recordings"
            )

    def check(self, known: Collection[str]) -> None:
        """Refuse what only a list has, and another word for a language that has a code.

        `known`: languages as the model's own sets write them.

        Raises:
            InputError: with the code that is meant.
        """
        if self.place is None or not self.place.is_file():
            if self.labels:
                raise InputError("--labels: maps the labels of a list of recordings: DATA is none")
            if self.language is not None:
                raise InputError("--language: is that of a list of recordings: DATA is none")
            return
        language = self.spoken
        meant = meant_language(language)
        theirs = [one for one in sorted(known) if meant and meant_language(one) == meant]
        right = theirs[0] if theirs else meant
        if language not in known and right not in (None, language):
            raise InputError(f"--language '{language}' is unknown: did you mean {right}?")
        if language not in known and not _LANGUAGE.fullmatch(language):
            raise InputError(
                f"--language '{language}' is unknown: name the recordings' language by its "
                "code (BCP-47), as in pl"
            )

    def settings(self, own: DataSettings) -> DataSettings:
        """The settings of the training with the tested set in the place of its own."""
        if self.place is None:
            return own
        tested: AnySet = FolderSet(path=str(self.place))
        if self.place.is_file():
            recordings = Manifest(path=self.place, labels=dict(self.labels))
            tested = CorpusSet(corpus=recordings, language=self.spoken, split="test")
        return own.model_copy(update={"sets": (tested,)})

    def title(self, own: DataSettings) -> str:
        """What the clips are, by the last names of where they lie: a model card is published."""
        if self.place is None:
            return f"the test clips of {', '.join(one.title for one in own.sets)}"
        kind = "recordings" if self.place.is_file() else "test clips"
        return f"the {kind} of {self.place.absolute().name}"


def read_labels(text: str | None) -> dict[str, Emotion]:
    """A list's own labels and the emotion of each, of `anger=angry,joy=happy`.

    Raises:
        InputError: it is none of that, or an emotion is not ours.
    """
    found: dict[str, Emotion] = {}
    for pair in text.split(",") if text else ():
        theirs, _, ours = (part.strip() for part in pair.partition("="))
        emotion = next((one for one in EMOTIONS if one == ours), None)
        if not theirs or emotion is None:
            raise InputError(
                f"--labels '{pair.strip()}': write the list's label and the emotion that it is, "
                f"as in anger=angry; emotions are: {', '.join(EMOTIONS)}"
            )
        found[theirs] = emotion
    return found


def run_evaluate(
    folder: Path,
    tested: Tested,
    out: Path | None,
    cache: Path,
    device: Device,
    baselines: bool = True,
) -> Evaluation:
    """Evaluate a model, and write `evaluation.json`, `evaluation.md` and figures to `out`.

    Without an `out` they go into the model's folder, and the table into the model card. `baselines`
    are fitted on the sets that the model was trained on, which have to be there for them.

    Raises:
        InputError: the folder is no model, the tested set is not there or its language none, or a
            set is not what the recipe says.
    """
    tested.need()
    trained = load_trained(folder, device)
    recipe, encoder = trained.recipe, trained.encoder
    met = _met_in_training(trained, cache) if baselines else None
    train = met.taught if met else None
    tested.check(train.clips.language_names if train else ())
    settings = tested.settings(recipe.data)
    test = load_clips(settings, "test", recipe.labels, encoder, cache)
    probabilities, _ = verdicts(trained.model, test, recipe.labels)
    embedded = embed(stage_models(folder, trained), met.heard if met else None, test)
    caveats = [*_known_before(met, test), *filter(None, [recipe.encoder.caveat])]
    title = tested.title(recipe.data)
    found = evaluate(probabilities, train, test, readable(embedded), title, caveats)
    write_evaluation(out or folder, found, embedded)
    if out is None:
        write_card(folder)
    return found


@dataclass(frozen=True)
class _Met:
    """What a model has met: the clips that `taught` it, and those of them that a stage `heard`, at
    their own speed only; and those of `validation`, by which its checkpoint was chosen."""

    taught: Training
    heard: ClipSet
    validation: ClipSet


def _known_before(met: _Met | None, test: ClipSet) -> Iterator[str]:
    """What the model has met in training, where that is at hand: no zero-shot figure has it."""
    if met is None:
        yield (
            "Nobody looked whether the model met these clips or speakers in training: its training "
            "sets were left out (--no-baselines)."
        )
        return
    for kind, shared, where in (
        ("utterances", test.shared_utterances(met.heard), "the training"),
        ("speakers", test.shared_speakers(met.heard), "the training"),
        ("utterances", test.shared_utterances(met.validation), _CHOSEN_BY),
    ):
        if shared:  # counted and not named: the card is published, and a name may hold a path
            yield (
                f"{len(shared)} of the test's {kind} were in {where}: these figures flatter the "
                "model."
            )


def _met_in_training(trained: Trained, cache: Path) -> _Met:
    """The clips of the sets that a model was trained on.

    Raises:
        InputError: a set is not there any more, or is not what the recipe says.
    """
    recipe = trained.recipe
    as_it_is = recipe.data.model_copy(update={"speeds": (1.0,)})

    def load(data: DataSettings, split: Split) -> ClipSet:
        return load_clips(data, split, recipe.labels, trained.encoder, cache)

    try:
        clips = load(recipe.data, "train")
        unaltered = clips if as_it_is == recipe.data else load(as_it_is, "train")
        heard, of_unaltered = (heard_in(one, recipe.stages) for one in (clips, unaltered))
        validation = load(recipe.data, "validation")
    except InputError as error:
        raise InputError(f"{error}; or go without what is fitted on it: --no-baselines") from error
    return _Met(Training(clips, heard), unaltered.chosen(of_unaltered), validation)


def run_predict(
    folder: Path,
    files: Sequence[Path],
    labels: Sequence[str] | None,
    device: Device,
    batch_size: int,
) -> Predictions:
    """Probabilities of the model's labels, or of any others, for audio files heard whole.

    A file that can't be used costs the others nothing.

    Raises:
        InputError: the folder is no model, or the labels leave no choice.
    """
    trained = load_trained(folder, device)
    chosen = trained.recipe.labels if labels is None else tuple(labels)
    failed: dict[str, str] = {}
    heard: list[str] = []
    found = [np.empty((0, len(chosen)))]
    for start in range(0, len(files), batch_size):
        clips = list(_readable(files[start : start + batch_size], failed))
        if clips:
            heard += [name for name, _ in clips]
            found.append(_predict(trained, [samples for _, samples in clips], chosen))
    return Predictions(tuple(heard), chosen, np.concatenate(found), failed)


def _predict(trained: Trained, clips: Sequence[np.ndarray], labels: Sequence[str]) -> np.ndarray:
    longest_s = trained.recipe.data.longest_s
    return predict(trained.model, trained.encoder, clips, labels, longest_s)


def _readable(files: Sequence[Path], failed: dict[str, str]) -> Iterator[tuple[str, np.ndarray]]:
    """Each file with its samples; into `failed` goes what can't be used, with the reason."""
    for file in files:
        try:
            yield str(file), read_audio(file.read_bytes(), longest_s=None)
        except UnusableAudio as error:
            failed[str(file)] = f"'{file}' {error}"
        except OSError as error:
            failed[str(file)] = f"'{file}' can't be read: {error.strerror}"
