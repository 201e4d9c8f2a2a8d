"""The dataset folder of a build, written beside its place until it is whole."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import yaml

from pipeline.dataset.layout import BUILD, CARD, DATA, FAILURES, MANIFEST, RECIPE, REJECTS
from pipeline.dataset.manifest import keep_others
from pipeline.dataset.place import put_in_place
from pipeline.dataset.shards import ShardWriter, kept_schema, rejects_schema, write_failures
from pipeline.engine import M5SER_VERSION
from pipeline.languages import Language
from pipeline.recipe import machine_paths, published
from pipeline.work.outcomes import Chain
from pipeline.writing.build import Build, build_json
from pipeline.writing.checks import check_folder
from pipeline.writing.rejected_lines import write_rejected_lines
from pipeline.writing.rows import (
    clip_marks,
    published_failure,
    published_rows,
    rejection,
    withheld_texts,
)

Describe = Callable[[Path], None]


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

    `describe` is that of `pipeline.cards`, or a way to run it elsewhere. Of the old card the
    section that a person wrote is kept, and so is every file that no build writes.

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
    write_failures(folder / FAILURES, failures)
    write_rejected_lines(folder, build.store, build.recipe, build.chains)
    recipe = yaml.safe_dump(published(build.recipe), sort_keys=False, allow_unicode=True)
    (folder / RECIPE).write_text(recipe, encoding="utf-8")
    (folder / BUILD).write_text(build_json(build), encoding="utf-8")


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
            schema = rejects if place == REJECTS else kept
            stem = folder / (REJECTS if place == REJECTS else DATA) / language / place
            writer = ShardWriter(stem, schema, rows, recipe.shard_rows)
            writers[place] = stack.enter_context(writer)
        for chain in chains:
            decided = build.outcomes.decisions
            for row, decision in published_rows(build.store, recipe, chain, decided, marks):
                split = build.division.splits[row["source_id"]]
                place = split if decision.reason is None else REJECTS
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
                counts[build.division.splits[take["source_id"]] if kept else REJECTS] += 1
    return counts
