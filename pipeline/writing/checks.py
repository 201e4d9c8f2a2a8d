"""What is refused before anything is done: a folder, a claimed licence, a probe without voices."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import numpy as np

from pipeline.dataset.manifest import BadManifest, read_manifest
from pipeline.dataset.reading import BadFolder
from pipeline.errors import InputError
from pipeline.judges.probe import Source, fit, unfit
from pipeline.provenance.components import components_of
from pipeline.provenance.terms import check_claim, resulting_licence
from pipeline.recipe import Recipe, published
from pipeline.store import Store
from pipeline.work.census import Census


class ForeignFolder(InputError):
    """The output folder holds something that this recipe did not make."""


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
    sources = human_sources(store, census)
    if dry_run:
        return unfit(sources)
    try:
        fit(sources)
    except ValueError as error:
        raise InputError(str(error)) from error
    return None


def human_sources(store: Store, census: Census) -> list[Source]:
    """The recordings that a probe is fitted on: speaker, emotion, and the profile relative to the
    speaker's neutral, float64 [`SCALARS`]."""
    if census.human is None:
        return []
    rows = store.read("human", census.human).to_pylist()
    return [(row["speaker"], row["emotion"], np.array(row["profile"])) for row in rows]
