"""The files of a folder against its manifest."""

from __future__ import annotations

from pathlib import Path

from pipeline.dataset.manifest import (
    MANIFEST,
    BadShard,
    Manifest,
    describe_file,
    is_of_a_set,
    sha256,
    walk,
)
from pipeline.dataset.row_index import ROWS
from pipeline.hub.difference import CHANGES
from pipeline.hub.package import CARD, FOREIGN, LINK, WEIGHTS, is_link_away
from pipeline.provenance.credentials import CREDENTIALS
from pipeline.verify.findings import Findings

BESIDE = frozenset({MANIFEST, CHANGES, ".gitattributes"})
"""What may lie beside the files of a manifest: itself, and what a repository adds."""

_NEEDED = frozenset({CARD, CREDENTIALS, ROWS, "recipe.yaml", "build.json", "failures.parquet"})


def check_files(folder: Path, manifest: Manifest, findings: Findings) -> None:
    """Every file is there, has its hash, and, if a shard, its rows and seconds; no other is.

    The card is looked at elsewhere: people may write in it.
    """
    if WEIGHTS not in manifest.files:
        _check_names(manifest, findings)
    for name in sorted(manifest.files):
        if _leaves(folder, folder / name):
            findings.report("files", name, f"it {LINK}")
        elif name != CARD:
            _check_file(folder, name, manifest, findings)
    # A model that was trained here has no manifest yet, and beside its files what a training needs.
    if (folder / MANIFEST).is_file():
        _check_others(folder, manifest, findings)
    size = f"{len(manifest.files)} files, {manifest.total_bytes / 1e6:.1f} MB by SHA-256"
    findings.checks["files"] = size


def _check_names(manifest: Manifest, findings: Findings) -> None:
    """Every set has some files, and none has others than a build writes."""
    for name in sorted(_NEEDED - set(manifest.files)):
        findings.report("files", name, f"{MANIFEST} does not have it, and every set has one")
    for name in sorted(name for name in manifest.files if not is_of_a_set(name)):
        findings.report("files", name, f"it {FOREIGN}")


def _check_others(folder: Path, manifest: Manifest, findings: Findings) -> None:
    there = {name for name, path in walk(folder) if path.is_file()}
    for name in sorted(there - set(manifest.files) - BESIDE):
        findings.report("files", name, f"{MANIFEST} does not have it: move it out of the folder")


def _leaves(folder: Path, path: Path) -> bool:
    """Whether a file is a link to elsewhere; in the Hub's cache all are, to the blobs beside it
    (https://huggingface.co/docs/huggingface_hub/guides/manage-cache)."""
    blobs = folder.resolve().parent.parent / "blobs"
    is_snapshot = folder.resolve().parent.name == "snapshots"
    return is_link_away(folder, path) and not (is_snapshot and path.resolve().parent == blobs)


def _check_file(folder: Path, name: str, manifest: Manifest, findings: Findings) -> None:
    path, stated = folder / name, manifest.files[name]
    if not path.is_file():
        findings.report("files", name, "it is missing")
        return
    with findings.reading("files", name):
        if sha256(path) != stated.sha256:
            findings.report("files", name, "it was changed: its SHA-256 is not the manifest's")
            return
        try:
            found = describe_file(path)
        except BadShard as bad:
            findings.report("files", name, str(bad))
            return
        said = stated.model_dump(exclude_none=True)
        wrong = [field for field in said if said[field] != found.get(field)]
        if wrong:
            findings.report("files", name, f"the manifest is wrong about its {', '.join(wrong)}")
