"""How do people change their speech with emotion, and how far do our published profiles go?

    python -m benchmarks.human_profiles [--corpus DIR] [--nemo DIR] [--write]

For every clip of RAVDESS (Livingstone and Russo 2018; clips below --corpus, of normal and strong
intensity as far as they are there) and of nEMO (Christop 2024) its change from the mean neutral
clip of its speaker, in the terms of `pipeline.prosody.published.Change`, ratios as natural
logarithms. Printed are the median over speakers of each one's mean change, and the standard
deviation between speakers; beside them what `published.CHANGES` says. Then how well these numbers
tell the emotions apart in people: UAR of an SVM, each speaker held out in turn, with the numbers
as they are and relative to the speaker's neutral speech. The last line is one JSON object.

nEMO's rate is estimated from the peaks of the energy, as its phones are not known here. `--write`
makes `pipeline/prosody/curves.tsv` anew from these clips: it takes the whole corpora.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.script import HUMAN_SPEECH, parser_of
from pipeline.audio import open_recording
from pipeline.corpora.base import Door
from pipeline.corpora.ravdess import Ravdess
from pipeline.prosody.baseline import Baselines
from pipeline.prosody.curves import FILE, NAMES
from pipeline.prosody.profile import SCALARS, Profile, measure
from pipeline.prosody.published import CHANGES, Change
from pipeline.prosody.target import from_source
from pipeline.records import Recording, Utterance

DIMENSIONS = tuple(field.name for field in fields(Change))
_PHONES = 18
"""Of both sentences of RAVDESS: kids are talking (dogs are sitting) by the door."""
_INTENSITIES = {"01": "normal", "02": "strong"}
_NORMAL_ONLY = ("sad", "disgusted")
_WHOLE = 5_729
"""Clips of both corpora: fewer would write worse curves over the better ones."""
CURVES = Path(__file__).parents[1] / "pipeline" / "prosody" / FILE
_NEMO = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprised",
}


@dataclass(frozen=True)
class Spoken:
    """A measured clip and its speaker's neutral profile."""

    group: str
    emotion: str
    speaker: str
    profile: Profile
    neutral: Profile


def main() -> None:
    """Measure the clips, print the tables and the JSON line."""
    parser = parser_of(__doc__)
    parser.add_argument("--corpus", type=Path, default=HUMAN_SPEECH / "ravdess")
    parser.add_argument("--nemo", type=Path, default=HUMAN_SPEECH / "nemo")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    spoken = [*_relative(_ravdess(options.corpus)), *_relative(_nemo(options.nemo))]
    if options.write:
        if len(spoken) < _WHOLE:
            parser.error(
                f"--write: {len(spoken)} clips are there of the whole corpora's {_WHOLE}; "
                "name their folders with --corpus and --nemo"
            )
        _write_curves(spoken)
    found = {}
    for group in _groups(spoken):
        own = [one for one in spoken if one.group.startswith(group)]
        amounts = {emotion: _amounts(own, emotion) for emotion in sorted({o.emotion for o in own})}
        _print(f"{group}: {len(own)} clips, {len({o.speaker for o in own})} speakers", amounts)
        found[group] = amounts
    uar = {group: _separability(spoken, group) for group in _groups(spoken)}
    Console().print("UAR, speakers held out (as measured, relative to neutral):", uar)
    print(json.dumps({"change": found, "uar": uar}))


def _ravdess(folder: Path) -> Iterator[tuple[str, str, str, Profile]]:
    """Group, emotion, speaker and profile of each clip."""
    for one in Ravdess(path=folder).read():
        if isinstance(one, Utterance) and one.recording is not None:
            intensity = _INTENSITIES[one.id.split("-")[4]]
            profile = _profile(one.recording, _PHONES)
            yield f"RAVDESS, {intensity}", one.emotion, one.speaker, profile


def _nemo(folder: Path) -> Iterator[tuple[str, str, str, Profile]]:
    """The same of the clips that are named like EB0_anger_12.wav."""
    for clip in sorted(folder.rglob("*_*_*.wav")):
        speaker, emotion, _ = clip.stem.split("_")
        yield "nEMO", _NEMO[emotion], speaker, _profile(Recording(clip), None)


def _profile(recording: Recording, phones: int | None) -> Profile:
    clip = open_recording(recording, Door())
    return measure(clip.samples, clip.sampling_rate, phones)


def _relative(rows: Iterator[tuple[str, str, str, Profile]]) -> list[Spoken]:
    """The clips of a corpus beside their speakers' mean neutral profile."""
    every = list(rows)
    if not every:
        return []
    baselines = Baselines.fit((speaker, "", emotion, own) for _, emotion, speaker, own in every)
    return [Spoken(*row, baselines.by_speaker[row[2]]) for row in every]


def change(spoken: Spoken) -> np.ndarray:
    """A clip's change from neutral [len(DIMENSIONS)], ratios as natural logarithms."""
    target = from_source(spoken.profile, spoken.neutral)
    return as_numbers(Change(**{name: getattr(target, name) for name in DIMENSIONS}))


def as_numbers(one: Change) -> np.ndarray:
    """A change as numbers that add up: ratios as natural logarithms."""
    values = ((name, getattr(one, name)) for name in DIMENSIONS)
    return np.array([np.log(v) if name.endswith("_ratio") else v for name, v in values])


def _medians(spoken: Iterable[Spoken], curve: str) -> np.ndarray:
    """The median over speakers of their mean change of a curve of the profile."""
    by_speaker: dict[str, list[np.ndarray]] = defaultdict(list)
    for one in spoken:
        change = np.subtract(getattr(one.profile, curve), getattr(one.neutral, curve))
        by_speaker[one.speaker].append(change)
    return np.asarray(np.median([np.mean(own, axis=0) for own in by_speaker.values()], axis=0))


def _write_curves(spoken: Sequence[Spoken]) -> None:
    """Make `curves.tsv` as `pipeline.prosody.curves` says."""
    rows = []
    for emotion, curve in product(CHANGES, NAMES):
        corpora = ("nEMO",) if curve == "f0_contour_st" else ("RAVDESS", "nEMO")
        found = [
            _medians(own, curve)
            for corpus in corpora
            if (own := [one for one in spoken if _counts(one, emotion, corpus)])
        ]
        if found and emotion != "neutral":
            values = " ".join(f"{value:.2f}" for value in np.mean(found, axis=0))
            rows.append(f"{emotion}\t{curve}\t{values}\n")
    CURVES.write_text("emotion\tcurve\tvalues\n" + "".join(rows), encoding="utf-8")


def _counts(one: Spoken, emotion: str, corpus: str) -> bool:
    """Whether a clip is one of those that the amounts of `published` are of."""
    is_wild = one.group.endswith("strong") and emotion in _NORMAL_ONLY
    return one.emotion == emotion and one.group.startswith(corpus) and not is_wild


def _amounts(spoken: Sequence[Spoken], emotion: str) -> dict[str, list[float]]:
    """By dimension the median over speakers of their mean changes, and their deviation."""
    by_speaker: dict[str, list[np.ndarray]] = defaultdict(list)
    for one in spoken:
        if one.emotion == emotion:
            by_speaker[one.speaker].append(change(one))
    means = np.array([np.mean(changes, axis=0) for changes in by_speaker.values()])
    columns = zip(np.median(means, axis=0), means.std(axis=0), strict=True)
    rounded = [[round(float(middle), 2), round(float(sd), 2)] for middle, sd in columns]
    return dict(zip(DIMENSIONS, rounded, strict=True))


def _groups(spoken: Sequence[Spoken]) -> list[str]:
    """Each corpus at each intensity, and each corpus whole."""
    names = dict.fromkeys(one.group for one in spoken)
    return list(dict.fromkeys([*names, *(name.split(",", maxsplit=1)[0] for name in names)]))


def _separability(spoken: Sequence[Spoken], group: str) -> dict[str, float]:
    """UAR on the clips of a group and all neutral ones of its speakers, speakers held out."""
    corpus = group.split(",", maxsplit=1)[0]
    own = [
        one
        for one in spoken
        if one.group.startswith(group)
        or (one.group.startswith(corpus) and one.emotion == "neutral")
    ]
    absolute = np.array([[getattr(one.profile, name) for name in SCALARS] for one in own])
    neutral = np.array([[getattr(one.neutral, name) for name in SCALARS] for one in own])
    emotions = np.array([one.emotion for one in own])
    speakers = [one.speaker for one in own]
    judge = make_pipeline(StandardScaler(), SVC(C=1.0, class_weight="balanced"))
    found = {}
    for name, numbers in {"as measured": absolute, "relative": absolute - neutral}.items():
        said = cross_val_predict(judge, numbers, emotions, groups=speakers, cv=LeaveOneGroupOut())
        found[name] = round(float(balanced_accuracy_score(emotions, said)), 3)
    return found


def _print(title: str, amounts: dict[str, dict[str, list[float]]]) -> None:
    table = Table("", *DIMENSIONS, title=f"{title}; median, deviation, (ours)")
    for emotion, by_dimension in amounts.items():
        ours = as_numbers(CHANGES[emotion])  # type: ignore[index]
        cells = zip(by_dimension.values(), ours, strict=True)
        table.add_row(emotion, *(f"{m:.2f} {sd:.2f} ({own:.2f})" for (m, sd), own in cells))
    Console().print(table)


if __name__ == "__main__":
    main()
