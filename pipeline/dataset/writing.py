"""The dataset folder of a build: what may be replaced by it, and what is in it."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.cards.card import write_card
from pipeline.cards.figures import write_figures
from pipeline.cards.report import write_report
from pipeline.dataset.manifest import (
    CARD,
    MANIFEST,
    BadManifest,
    keep_others,
    read_manifest,
    write_manifest,
)
from pipeline.dataset.place import put_in_place
from pipeline.dataset.rejected_lines import write_rejected_lines
from pipeline.dataset.rows import (
    clip_marks,
    published_failure,
    published_rows,
    rejection,
    withheld_texts,
)
from pipeline.dataset.shards import ShardWriter, kept_schema, rejects_schema, write_failures
from pipeline.engine import digest
from pipeline.errors import InputError
from pipeline.judges.probe import Source, fit, unfit
from pipeline.languages import Language
from pipeline.provenance.components import components_of, installed_versions
from pipeline.provenance.credentials import write_credentials
from pipeline.provenance.terms import check_claim, resulting_licence
from pipeline.recipe import Recipe, machine_paths, published
from pipeline.work.census import Census
from pipeline.work.division import Division
from pipeline.work.intake import Intake
from pipeline.work.outcomes import Chain, Outcomes
from pipeline.work.store import Store

M5SER_VERSION = "0.1.0"
_LAYOUT = 4
"""Raise it when the same tables give other files."""


class ForeignFolder(InputError):
    """The output folder holds something that this recipe did not make."""


Describe = Callable[[Path], None]


class BadFolder(InputError):
    """A folder that is no dataset folder."""


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


def check_folder(folder: Path, recipe: Recipe, limit: int | None) -> None:
    """Refuse to replace what another recipe, or no recipe, made, and what can't be written.

    Nor does a dry run, which has a `limit`, replace the whole set.

    Raises:
        ForeignFolder: with the fix.
        BadFolder: there is no place for it.
    """
    place = folder.resolve()
    above = next((one for one in place.parents if one.exists()), place)
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise BadFolder(f"--out: '{folder}' can't be made in '{above}': name another with --out")
    if place.is_mount() or place == Path.cwd():
        kind = "a mount point" if place.is_mount() else "the current folder"
        raise BadFolder(f"--out: '{folder}' is {kind} and can't be replaced: name one in it")
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    made_by = _made_by(folder)
    if made_by != recipe.name:
        owner = f"the set of recipe '{made_by}'" if made_by else "something that m5ser did not make"
        raise ForeignFolder(
            f"--out: '{folder}' holds {owner}, not of '{recipe.name}': "
            "name another folder with --out, or move this one away"
        )
    if limit is not None and not _is_limited(folder):
        raise ForeignFolder(
            f"--limit: '{folder}' holds the whole set, which a dry run would replace: "
            "name another folder with --out"
        )


def _is_limited(folder: Path) -> bool:
    """Whether a dry run made the folder."""
    return "limit" in (read_manifest(folder).model_extra or {})


def _made_by(folder: Path) -> str | None:
    """Name of the recipe that wrote the folder; None if its manifest isn't ours."""
    try:
        return read_manifest(folder).recipe
    except BadManifest:
        return None


def check_licence(recipe: Recipe, licences: Collection[str]) -> None:
    """Refuse a claim that is laxer than what the components and the rows' licences allow.

    Raises:
        LicenceError: with the reasons and the fix.
    """
    components = components_of(published(recipe))
    check_claim(recipe.licence, resulting_licence(components, sorted(licences)))


def check_probe(store: Store, recipe: Recipe, census: Census, dry_run: bool) -> str | None:
    """Why the recipe's probe can't be fitted on the recordings, which a dry run goes on without.

    Raises:
        InputError: it can't, and this is none; with the fix, before anything is spoken.
    """
    if not any(judge.needs_sources for judge in recipe.judges):
        return None
    sources = _human(store, census)
    if dry_run:
        return unfit(sources)
    try:
        fit(sources)
    except ValueError as error:
        raise InputError(str(error)) from error
    return None


def _human(store: Store, census: Census) -> list[Source]:
    if census.human is None:
        return []
    rows = store.read("human", census.human).to_pylist()
    return [(row["speaker"], row["emotion"], np.array(row["profile"])) for row in rows]


def is_current(folder: Path, build: Build) -> bool:
    """Whether the folder is already what the build would write."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return False
    stated = json.loads(manifest.read_text(encoding="utf-8"))
    return bool(stated.get("fingerprint") == build.fingerprint()) and all(
        (folder / name).is_file() and (folder / name).stat().st_size == entry["bytes"]
        for name, entry in stated["files"].items()
    )


def write_dataset(folder: Path, build: Build, describe: Describe) -> None:
    """Write the folder; what lay there stays until the new one is whole.

    `describe` is the function of that name below, or a way to run it elsewhere. Of the old card
    the section that a person wrote is kept, and so is every file that no build writes.

    Raises:
        ForeignFolder: another build has put something else there by now.
        OSError: no space or no right to write; the old folder is untouched.
    """
    with put_in_place(folder, keep_others) as partial:
        # Another build may have written there since this one began.
        check_folder(folder, build.recipe, build.limit)
        _write(partial, build)
        if (folder / CARD).is_file():
            shutil.copyfile(folder / CARD, partial / CARD)
        describe(partial)


def _write(folder: Path, build: Build) -> None:
    for language in build.recipe.languages:
        _write_language(folder, build, language)
    withheld, paths = withheld_texts(build.store, build.chains), machine_paths(build.recipe)
    failures = [
        published_failure(failure, withheld.get(failure.source_id, []), paths)
        for failure in build.outcomes.failures
    ]
    write_failures(folder / "failures.parquet", failures)
    write_rejected_lines(folder, build.store, build.recipe, build.chains)
    recipe = yaml.safe_dump(published(build.recipe), sort_keys=False, allow_unicode=True)
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    (folder / "build.json").write_text(_build_json(build), encoding="utf-8")


def describe(folder: Path) -> None:
    """Write what a person reads, and the manifest over all: a function of the folder alone.

    Raises:
        BadFolder: it was not written by a build.
    """
    if not (folder / "build.json").is_file():
        raise BadFolder(f"'{folder}' is no dataset folder: it has no build.json")
    write_figures(folder)
    write_report(folder)
    write_card(folder)
    write_credentials(folder)
    write_manifest(folder)


def _build_json(build: Build) -> str:
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
    fitted = fit(_human(build.store, build.census))
    return {
        "uar": round(fitted.uar, 4),
        "classes": list(fitted.classes),
        "clips": fitted.clips,
        "speakers": len(fitted.by_speaker),
    }


def _write_language(folder: Path, build: Build, language: Language) -> None:
    """Write the kept and rejected takes of a language, a batch in memory at a time."""
    recipe = build.recipe
    chains = [chain for chain in build.chains if chain.language == language]
    counts = _count(build, chains)
    marks = clip_marks(recipe, f"m5ser {M5SER_VERSION}")
    kept = kept_schema(recipe.score_names, recipe.sampling_rate)
    rejects = rejects_schema(recipe.score_names, recipe.sampling_rate)
    with ExitStack() as stack:
        writers: dict[str, ShardWriter] = {}
        for place, rows in sorted(counts.items()):
            schema = rejects if place == "rejects" else kept
            stem = folder / ("rejects" if place == "rejects" else "data") / language / place
            writer = ShardWriter(stem, schema, rows, recipe.shard_rows)
            writers[place] = stack.enter_context(writer)
        for chain in chains:
            decided = build.outcomes.decisions
            for row, decision in published_rows(build.store, recipe, chain, decided, marks):
                split = build.division.splits[row["source_id"]]
                place = split if decision.reason is None else "rejects"
                outcome = {} if decision.reason is None else rejection(decision)
                writers[place].write({**row, "split": split, **outcome})


def _count(build: Build, chains: Sequence[Chain]) -> Counter[str]:
    """Rows of each split that are kept, and of the rejects."""
    counts: Counter[str] = Counter()
    for chain in chains:
        takes = build.store.read("takes", chain.takes, ["id", "source_id"]).to_pylist()
        for take in takes:
            decision = build.outcomes.decisions.get(take["id"])
            if decision is not None:
                kept = decision.reason is None
                counts[build.division.splits[take["source_id"]] if kept else "rejects"] += 1
    return counts
