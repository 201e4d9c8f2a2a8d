"""The files of a folder against its manifest."""

from __future__ import annotations

from pathlib import Path

from pipeline.dataset.manifest import MANIFEST, Manifest, describe_file, sha256
from pipeline.dataset.row_index import ROWS
from pipeline.hub.difference import CHANGES
from pipeline.hub.package import CARD, LINK, WEIGHTS, is_link_away
from pipeline.provenance.credentials import CREDENTIALS
from pipeline.verify.findings import Findings

BESIDE = frozenset({MANIFEST, CHANGES, ".gitattributes"})
"""What may lie beside the files of a manifest: itself, and what a repository adds."""

_OF_A_SET = frozenset({CARD, CREDENTIALS, ROWS, "recipe.yaml", "build.json", "failures.parquet"})


def check_files(folder: Path, manifest: Manifest, findings: Findings) -> None:
    """Every file is there, has its hash, and, if a shard, its rows and seconds; no other is.

    The card is looked at elsewhere: people may write in it.
    """
    if WEIGHTS not in manifest.files:
        for name in sorted(_OF_A_SET - set(manifest.files)):
            findings.report("files", name, f"{MANIFEST} does not have it, and every set has one")
    for name in sorted(manifest.files):
        if _leaves(folder, folder / name):
            findings.report("files", name, f"it {LINK}")
        elif name != CARD:
            _check_file(folder, name, manifest, findings)
    there = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and ".cache" not in path.relative_to(folder).parts
    }
    for name in sorted(there - set(manifest.files) - BESIDE):
        findings.report("files", name, f"{MANIFEST} does not have it")
    size = f"{len(manifest.files)} files, {manifest.total_bytes / 1e6:.1f} MB by SHA-256"
    findings.checks["files"] = size


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
        found = describe_file(path)
        said = stated.model_dump(exclude_none=True)
        wrong = [field for field in said if said[field] != found.get(field)]
        if wrong:
            findings.report("files", name, f"the manifest is wrong about its {', '.join(wrong)}")
