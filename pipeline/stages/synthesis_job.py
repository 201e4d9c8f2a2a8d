"""What the takes of a batch are made of, and their name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from pipeline.engine import digest, release
from pipeline.languages import Language
from pipeline.recipe import Recipe
from pipeline.records import Line
from pipeline.stages.references import Reference, contents

STAGE = "takes"
_VERSION = 13
_NOT_NAMED = ("utterances", "sources", "lines", "spoken")
"""Where inputs lie, whose contents a name is made of instead."""
_WHEELS = ("espeakng-loader", "pyworld", "soxr", "soundfile")
"""Packages that have a part in the takes of every engine: phones, prosody, rate, FLAC."""


@dataclass(frozen=True)
class Neutral:
    """The neutral profile that a speaker's targets are relative to, as JSON, and whose it is."""

    profile: str
    origin: str


@dataclass(frozen=True)
class SynthesisJob:
    """A batch in a language: where its inputs lie, and what the whole corpus says of it.

    `contents` name what the takes of each spoken line are made of. `voices` and `neutrals` by
    speaker, no neutrals where the corpus has no recordings; `references` by utterance id, empty
    where the engine listens to none. `spoken`: ids of the utterances whose lines are worth speaking
    (none: all).
    """

    language: Language
    utterances: str
    sources: str
    lines: str
    contents: tuple[str, ...]
    voices: Mapping[str, str]
    neutrals: Mapping[str, Neutral]
    references: Mapping[str, tuple[Reference, ...]] = field(default_factory=dict)
    spoken: tuple[str, ...] | None = None

    def key(self, recipe: Recipe) -> str:
        """Name of the takes, by what they are made of and not by where that lies."""
        settings = recipe.model_dump(
            mode="json", include={"prosody", "takes", "sampling_rate", "seed"}
        )
        if recipe.watermark:
            settings["watermark"] = recipe.watermark.fingerprint()
        engine = recipe.synthesis.fingerprint_for(self.language)
        releases = [release(one) for one in _WHEELS]
        made_of = {
            **{name: value for name, value in asdict(self).items() if name not in _NOT_NAMED},
            "references": contents(self.references),
        }
        return digest(STAGE, _VERSION, engine, settings, made_of, releases)


def seed_of(recipe: Recipe, line: Line, number: int) -> int:
    """What the chance of a take begins with, by its number among those of its line."""
    return int(digest(recipe.seed, line.source_id, line.language, number)[:8], 16) >> 1
