"""Does a take keep the emotion of its source clip? Correlations by language, and human-made judges.

    python -m benchmarks.prosody_transfer [--corpus DIR] [--languages de,fr] [--limit N]

For every clip of RAVDESS a take in each language, with transfer (strength 1) and without (0).
Spearman correlation of source and take in F0 level, F0 range, energy and rate, each relative to
neutral; and the UAR of judges of four emotions that were fitted on human speech only, on the human
clips and on the takes. The last line is one JSON object.

Within an actor the sad clip of ../shared says the other sentence than the rest, so a judge fitted
on these clips hears the sentence too. RESULTS.md has what was measured without that, where the loss
is, and what was tried without gain.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from benchmarks.emotion_judges import (
    EMOTIONS,
    Judged,
    MissingOpensmile,
    nemo,
    uar_by_speaker,
    uar_of_others,
)
from benchmarks.script import HUMAN_SPEECH, parser_of
from pipeline.audio import open_recording
from pipeline.corpora.base import Door
from pipeline.corpora.ravdess import Ravdess
from pipeline.languages import LANGUAGES, Language
from pipeline.prosody.baseline import Baselines
from pipeline.prosody.frames import RATE
from pipeline.prosody.profile import Profile, measure, to_rate
from pipeline.prosody.target import Target, as_people_do, from_source
from pipeline.prosody.transfer import transfer
from pipeline.records import Utterance
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.espeak import Espeak, count_phones

DIMENSIONS = {
    "f0_level_st": "F0 level",
    "f0_range_st": "F0 range",
    "energy_db": "energy",
    "rate_phones_s": "rate",
}


@dataclass(frozen=True)
class Source:
    """A human clip at 16 kHz, its profile, its speaker's neutral one, and what it asks for."""

    utterance: Utterance
    samples: np.ndarray
    profile: Profile
    neutral: Profile
    target: Target


@dataclass(frozen=True)
class Takes:
    """The takes of all sources in a language at one strength, and how each differs from neutral."""

    samples: list[np.ndarray]
    profiles: list[Profile]
    references: list[Profile]


def main() -> None:
    """Make the takes, print the tables and the JSON line."""
    options = _options()
    sources = read_sources(options.corpus, options.limit)
    languages: list[Language] = [one for one in LANGUAGES if one in options.languages.split(",")]
    made = {
        (language, strength): make_takes(sources, language, strength)
        for language in languages
        for strength in (1.0, 0.0)
    }
    correlations = {
        f"{language}_{'on' if strength else 'off'}": correlate(sources, takes)
        for (language, strength), takes in made.items()
    }
    _print("Spearman, source and take", list(DIMENSIONS.values()), correlations)
    result: dict[str, object] = {"spearman": correlations}
    try:
        result["uar"] = judge(sources, made, options.judge_corpus)
    except (MissingOpensmile, FileNotFoundError) as error:
        Console().print(f"No judges: {error}")
    on = [row for name, row in correlations.items() if name.endswith("_on")]
    result["lowest_spearman"] = min(value for row in on for value in row.values())
    print(json.dumps(result))


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--corpus", type=Path, default=HUMAN_SPEECH / "ravdess")
    parser.add_argument("--languages", default="de,fr,it,es,zh")
    parser.add_argument("--limit", type=int, default=None, help="clips, from the first on")
    parser.add_argument("--judge-corpus", type=Path, default=HUMAN_SPEECH / "nemo")
    return parser.parse_args()


def read_sources(folder: Path, limit: int | None) -> list[Source]:
    """Read and measure the clips of RAVDESS below a folder."""
    entries = Ravdess(path=folder).read()
    utterances = [one for one in entries if isinstance(one, Utterance)][:limit]
    texts = [one.text for one in utterances]
    counted = dict(zip(sorted(set(texts)), count_phones(sorted(set(texts))), strict=True))
    clips, profiles = [], []
    for one in utterances:
        if one.recording is None:
            raise ValueError(f"{one.id} has no recording")
        clip = open_recording(one.recording, Door())
        clips.append(to_rate(clip.samples, clip.sampling_rate))
        profiles.append(measure(clips[-1], RATE, counted[one.text]))
    baselines = Baselines.fit(
        (one.speaker, one.gender, one.emotion, profile)
        for one, profile in zip(utterances, profiles, strict=True)
    )
    neutrals = [baselines.neutral(one.speaker, one.gender)[0] for one in utterances]
    targets = [
        as_people_do(from_source(profile, neutral), one.emotion)
        for one, profile, neutral in zip(utterances, profiles, neutrals, strict=True)
    ]
    return [
        Source(*row) for row in zip(utterances, clips, profiles, neutrals, targets, strict=True)
    ]


def make_takes(sources: Sequence[Source], language: Language, strength: float) -> Takes:
    """One take of every source in a language."""
    spoken = Espeak().load()(_requests(sources, language))
    samples, profiles, references = [], [], []
    for seed, (source, speech) in enumerate(zip(sources, spoken, strict=True)):
        if not isinstance(speech, Speech):
            raise RuntimeError(f"{source.utterance.id} in {language}: {speech.error}")
        shaped = transfer(speech, source.target, [strength], [seed])
        samples.append(shaped.takes[0])
        profiles.append(measure(shaped.takes[0], RATE, len(speech.phones)))
        references.append(shaped.reference)
    return Takes(samples, profiles, references)


def _requests(sources: Sequence[Source], language: Language) -> list[SpeechRequest]:
    table = files("pipeline.corpora").joinpath("ravdess.tsv").read_text("utf-8")
    translations = {row["en"]: row for row in csv.DictReader(table.splitlines(), delimiter="\t")}
    voices: dict[str, str] = {}
    for one in (source.utterance for source in sources):
        if one.speaker not in voices:
            voices[one.speaker] = Espeak().voice_for(one.speaker, one.gender, voices.values())
    return [
        SpeechRequest(translations[one.text][language], language, voices[one.speaker], 0)
        for one in (source.utterance for source in sources)
    ]


def correlate(sources: Sequence[Source], takes: Takes) -> dict[str, float]:
    """Spearman correlation of source and take in each dimension, both relative to neutral."""
    return {
        dimension: round(
            float(
                spearmanr(
                    [getattr(s.profile, name) - getattr(s.neutral, name) for s in sources],
                    [
                        getattr(take, name) - getattr(reference, name)
                        for take, reference in zip(takes.profiles, takes.references, strict=True)
                    ],
                ).statistic
            ),
            3,
        )
        for name, dimension in DIMENSIONS.items()
    }


def judge(
    sources: Sequence[Source], made: dict[tuple[Language, float], Takes], judge_corpus: Path
) -> dict[str, dict[str, float]]:
    """UAR on four emotions of the human clips and of the takes, by both judges."""
    chosen = [at for at, s in enumerate(sources) if s.utterance.emotion in EMOTIONS]
    emotions = [sources[at].utterance.emotion for at in chosen]
    speakers = [sources[at].utterance.speaker for at in chosen]
    other = nemo(judge_corpus)
    human = Judged.of([sources[at].samples for at in chosen], emotions, speakers)
    rows = {"human": _uars(human, other, human)}
    for (language, strength), takes in made.items():
        judged = Judged.of([takes.samples[at] for at in chosen], emotions, speakers)
        rows[f"{language}_{'on' if strength else 'off'}"] = _uars(human, other, judged)
    _print("UAR, four emotions", list(rows["human"]), rows)
    return rows


def _uars(human: Judged, other: Judged, judged: Judged) -> dict[str, float]:
    return {
        "RAVDESS, other speakers": round(uar_by_speaker(human, judged), 3),
        "nEMO": round(uar_of_others(other, judged), 3),
    }


def _print(title: str, columns: list[str], rows: dict[str, dict[str, float]]) -> None:
    table = Table("", *columns, title=title)
    for name, row in rows.items():
        table.add_row(name, *(f"{value:.2f}" for value in row.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
