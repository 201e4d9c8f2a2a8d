"""All that a dataset folder is made of, and what it says of that by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.engine import M5SER_VERSION, digest
from pipeline.judges.probe import fit
from pipeline.provenance.components import components_of, installed_versions
from pipeline.recipe import Recipe, published
from pipeline.store import Store
from pipeline.work.census import Census
from pipeline.work.division import Division
from pipeline.work.intake import Intake
from pipeline.work.outcomes import Chain, Outcomes
from pipeline.writing.checks import human_sources

_LAYOUT = 4
"""Raise it when the same tables give other files."""


@dataclass(frozen=True)
class Build:
    """All that a dataset folder is made of.

    `unfitted`: why the probe was not, in a dry run; `limit`: the utterances that a dry run may
    read (None: all).
    """

    store: Store
    recipe: Recipe
    intake: Intake
    census: Census
    division: Division
    chains: Sequence[Chain]
    outcomes: Outcomes
    unfitted: str | None = None
    limit: int | None = None

    def fingerprint(self) -> str:
        """Hash of the recipe, of every table that went into the folder, and of a limit."""
        scores = [chain.judging.key(j) for chain in self.chains for j in self.recipe.judges]
        scores += [
            chain.wording.checking.key(one)
            for chain in self.chains
            for one in self.recipe.text_judges
        ]
        # A licence, a gender and who wrote a line are in rows, and in no name of a take.
        takes = [[chain.sources, chain.lines, chain.takes] for chain in self.chains]
        intake = self.intake
        unreadable = [[one.id, one.error] for one in intake.unreadable]
        came_in = [intake.utterances, sorted(intake.dropped.items()), unreadable]
        # Their errors may name a place on this machine.
        failed = [[f.source_id, f.take_id, f.language, f.stage] for f in self.outcomes.failures]
        made_of = [published(self.recipe), takes, scores, self.division.splits, came_in, failed]
        # A limit that cuts nothing off changes no table, and still what the card says.
        limit = [] if self.limit is None else [self.limit]
        return digest(M5SER_VERSION, _LAYOUT, *made_of, *limit)


def build_json(build: Build) -> str:
    """`build.json` of the folder: what the build knew and no row says."""
    facts: dict[str, Any] = {
        "m5ser": M5SER_VERSION,
        "recipe": build.recipe.name,
        "fingerprint": build.fingerprint(),
        "clip_fingerprint": build.recipe.clip_fingerprint(),
        "read": {
            "utterances": build.intake.utterances,
            "dropped": dict(sorted(build.intake.dropped.items())),
            "failed": len(build.intake.unreadable),
        },
        "probe": _probe(build),
        "components": installed_versions(components_of(published(build.recipe))),
    }
    if build.limit is not None:
        facts["limit"] = build.limit
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def _probe(build: Build) -> dict[str, Any] | None:
    """How well the probe tells emotions apart on the human recordings themselves."""
    wanted = any(judge.needs_sources for judge in build.recipe.judges)
    if not wanted or build.unfitted:
        return None
    fitted = fit(human_sources(build.store, build.census))
    return {
        "uar": round(fitted.uar, 4),
        "classes": list(fitted.classes),
        "clips": fitted.clips,
        "speakers": len(fitted.by_speaker),
    }
