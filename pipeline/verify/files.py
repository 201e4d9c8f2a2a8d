"""The files of a folder against its manifest."""

from __future__ import annotations

from pathlib import Path

from pipeline.dataset.layout import CARD, MANIFEST
from pipeline.dataset.manifest import BadShard, Manifest, describe_file, walk
from pipeline.engine import file_sha256
from pipeline.hub.difference import CHANGES
from pipeline.hub.package import LINK, foreign_names, is_link_away, missing_names
from pipeline.hub.repository import Kind
from pipeline.verify.findings import Findings

BESIDE = frozenset({MANIFEST, CHANGES, ".gitattributes"})
"""What may lie beside the files of a manifest: itself, and what a repository adds."""


def check_files(folder: Path, manifest: Manifest, kind: Kind, findings: Findings) -> None:
    """Every file is one of its kind, is there, has its hash, and, if a shard, its rows and seconds.

    No other lies there.

    The card is looked at elsewhere: people may write in it.
    """
    _check_names(manifest, kind, findings)
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


def _check_names(manifest: Manifest, kind: Kind, findings: Findings) -> None:
    """Every set and model has some files, and none has others than m5ser writes for it."""
    every = "set" if kind == "dataset" else "model"
    for name in missing_names(manifest, kind):
        findings.report("files", name, f"{MANIFEST} does not have it, and every {every} has one")
    for name, why in foreign_names(manifest, kind).items():
        findings.report("files", name, f"it {why}")


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
        if file_sha256(path) != stated.sha256:
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
