"""Whether a take moves as human speakers move when they mean that emotion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from pipeline.emotions import Emotion
from pipeline.judges.base import Judge, JudgeBatch, JudgeContext, JudgeItem, Measured, Scores
from pipeline.judges.usable import usable_only
from pipeline.judges.verdict import verdict
from pipeline.prosody.relative import relative_scalars
from pipeline.records import Failure

_FOLDS = 10

Source = tuple[str, Emotion, np.ndarray]


@dataclass(frozen=True)
class FittedProbe:
    """A classifier of emotions, and how well it knows speakers that it was not fitted on.

    `uar`: unweighted average recall in [0, 1], cross-validated by speaker; chance is
    1 / len(classes). `by_speaker`: for each, the model of the fold that he was left out of.
    """

    uar: float
    classes: tuple[Emotion, ...]
    clips: int
    by_speaker: Mapping[str, Any]
    of_all: Any

    def heard_without(self, speaker: str) -> Any:
        """The model that never heard a speaker, whose clips it would know again in the takes."""
        return self.by_speaker.get(speaker, self.of_all)


class Probe(Judge):
    """A classifier fitted on the source recordings' profiles, each relative to its speaker.

    `probe_probability` of the wanted emotion; `probe_margin`, that minus the likeliest other's;
    `probe_entropy` of all, as a share of the largest possible. The take's profile is relative to
    `JudgeItem.reference`. The classifier of a take was fitted on speakers other than its source's,
    whose own clips it would know again. NaN where the take has no reference or no voiced frame, no
    other speaker has its emotion, or the sources are too few (see `unfit`). It hears ten numbers of
    prosody and no timbre or words; `fit(sources).uar` says how far to trust it.
    """

    engine: Literal["probe"] = "probe"
    version: ClassVar[int] = 4
    checks: ClassVar[str] = (
        "whether a classifier fitted on the human source recordings hears the wanted emotion"
    )
    measures: ClassVar[frozenset[Measured]] = frozenset({"emotion"})
    scores: ClassVar[Mapping[str, str]] = {
        "probe_probability": "probability of the wanted emotion, by the recordings' prosody",
        "probe_margin": "that minus the likeliest other emotion's",
        "probe_entropy": "entropy of the probabilities, as a share of the largest possible",
    }
    needs_sources: ClassVar[bool] = True

    def load(self, context: JudgeContext) -> JudgeBatch:
        """Fit the classifiers on the recipe's human recordings, if they are enough for it."""
        if unfit(context.sources):
            return usable_only(lambda items: [_nothing() for _ in items])
        probe = fit(context.sources)
        return usable_only(
            lambda items: [_score(item, probe.heard_without(item.source_speaker)) for item in items]
        )


def fit(sources: Sequence[Source]) -> FittedProbe:
    """Fit the probe and cross-validate it: no speaker is in a fold's training and test.

    Raises:
        ValueError: the sources are too few: see `unfit`.
    """
    from sklearn.metrics import recall_score

    if why := unfit(sources):
        raise ValueError(
            f"judge 'probe': {why}; add recordings to the corpus, "
            "or remove 'probe' from the recipe's judges and gates"
        )
    of_all = _fitted(sources)
    by_speaker: dict[str, Any] = {}
    said: dict[int, Emotion] = {}
    for training, tested in _folds(sources):
        model = _fitted([sources[place] for place in training])
        by_speaker.update((sources[place][0], model) for place in tested)
        heard = model.predict(np.stack([sources[place][2] for place in tested]))
        said.update(zip(tested.tolist(), heard, strict=True))
    meant = [emotion for _, emotion, _ in sources]
    predicted = [said[place] for place in range(len(sources))]
    uar = recall_score(meant, predicted, average="macro", zero_division=0)
    classes = tuple(of_all.classes_.tolist())
    return FittedProbe(float(uar), classes, len(sources), by_speaker, of_all)


def unfit(sources: Sequence[Source]) -> str | None:
    """Why the probe can't be fitted on these and tested by speaker, or None if it can."""
    speakers = {speaker for speaker, _, _ in sources}
    emotions = [emotion for _, emotion, _ in sources]
    if len(speakers) < 2 or len(set(emotions)) < 2:
        return (
            f"the recordings have {len(speakers)} speaker(s) and {len(set(emotions))} "
            "emotion(s), and two of each are needed"
        )
    if any(len({emotions[i] for i in training}) < 2 for training, _ in _folds(sources)):
        return "an emotion is spoken by too few speakers to test on others"
    return None


def _folds(sources: Sequence[Source]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places of the training and of the test sources of each fold, no speaker in both."""
    from sklearn.model_selection import GroupKFold

    speakers, emotions, profiles = zip(*sources, strict=True)
    folds = GroupKFold(min(_FOLDS, len(set(speakers))))
    return list(folds.split(profiles, emotions, speakers))


def _fitted(sources: Sequence[Source]) -> Any:
    emotions = [emotion for _, emotion, _ in sources]
    return _model().fit(np.stack([profile for _, _, profile in sources]), emotions)


def _model() -> Any:
    """Logistic regression (L2, C = 1) on standardised numbers; emotions weigh the same."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
    )


def _score(item: JudgeItem, model: Any) -> Scores | Failure:
    classes = model.classes_.tolist()
    if item.reference is None or item.profile is None or item.emotion not in classes:
        return _nothing()
    relative = relative_scalars(item.profile, item.reference)
    found: np.ndarray = model.predict_proba(relative[None])[0]
    return dict(zip(Probe.scores, verdict(found, classes.index(item.emotion)), strict=True))


def _nothing() -> Scores:
    return dict.fromkeys(Probe.scores, math.nan)
