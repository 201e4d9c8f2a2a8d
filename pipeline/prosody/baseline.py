"""The neutral profile of a speaker, which everything else is relative to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from pipeline.prosody.profile import Profile

Whose = Literal["speaker", "gender", "corpus"]
Origin = Whose | Literal["speaker_any_emotion", "gender_any_emotion", "corpus_any_emotion"]
"""Whose speech stands for neutral; `any_emotion` where a corpus has no neutral clip at all."""
_ANY_EMOTION: Mapping[Whose, Origin] = {
    "speaker": "speaker_any_emotion",
    "gender": "gender_any_emotion",
    "corpus": "corpus_any_emotion",
}
Row = tuple[str, str, str, Profile]


@dataclass(frozen=True)
class Baselines:
    """Mean neutral profiles of a corpus: by speaker, by gender, and of all."""

    by_speaker: dict[str, Profile]
    by_gender: dict[str, Profile]
    of_corpus: Profile
    any_emotion: bool = False
    """Whether they are of clips in all emotions, as there was none in neutral."""

    @classmethod
    def fit(cls, rows: Iterable[Row]) -> Baselines:
        """Fit on rows (speaker, gender, emotion, profile); each speaker weighs the same.

        A corpus without any neutral clip takes all its clips as neutral ones, but for those of
        speakers with a single clip, which would be relative to itself.

        Raises:
            ValueError: there are no rows.
        """
        every = list(rows)
        if not every:
            raise ValueError("no clip could be measured, so the corpus has no neutral speech")
        said_neutral = [row for row in every if row[2] == "neutral"]
        neutral = said_neutral or _of_several(every)
        speakers: dict[str, list[Profile]] = {}
        genders: dict[str, list[Profile]] = {}
        for speaker, _, _, profile in neutral:
            speakers.setdefault(speaker, []).append(profile)
        by_speaker = {speaker: _mean(profiles) for speaker, profiles in speakers.items()}
        for speaker, gender in {row[0]: row[1] for row in neutral}.items():
            if gender != "unknown":  # who these are, nobody says: they have no voice in common
                genders.setdefault(gender, []).append(by_speaker[speaker])
        by_gender = {gender: _mean(profiles) for gender, profiles in genders.items()}
        of_corpus = _mean(list(by_speaker.values()))
        return cls(by_speaker, by_gender, of_corpus, any_emotion=not said_neutral)

    def neutral(self, speaker: str, gender: str) -> tuple[Profile, Origin]:
        """The neutral profile for a speaker, and whose mean it is."""
        if speaker in self.by_speaker:
            return self.by_speaker[speaker], self._called("speaker")
        if gender in self.by_gender:
            return self.by_gender[gender], self._called("gender")
        return self.of_corpus, self._called("corpus")

    def _called(self, whose: Whose) -> Origin:
        return _ANY_EMOTION[whose] if self.any_emotion else whose


def _of_several(rows: list[Row]) -> list[Row]:
    """The rows of speakers that have more than one; all of them where nobody has."""
    counts = Counter(row[0] for row in rows)
    return [row for row in rows if counts[row[0]] > 1] or rows


def _mean(profiles: list[Profile]) -> Profile:
    """The mean profile, number by number, of the profiles that know the number."""
    means: dict[str, float | tuple[float, ...]] = {}
    for name in (one.name for one in fields(Profile)):
        known = [value for value in (getattr(one, name) for one in profiles) if value != ()]
        mean = np.mean(known, axis=0) if known else np.zeros(0)
        means[name] = float(mean) if mean.ndim == 0 else tuple(mean.tolist())
    return Profile(**means)  # type: ignore[arg-type]
