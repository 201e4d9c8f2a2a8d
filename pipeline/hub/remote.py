"""What an earlier publish has left on the Hub."""

from __future__ import annotations

import hashlib

from pipeline.dataset.layout import CARD, MANIFEST
from pipeline.dataset.manifest import BadManifest, Manifest, parse_manifest
from pipeline.hub.repository import PUT_BACK, Repository, Revision

PUBLISH = "Publish "
"""How the title of a publish's last commit begins."""


def manifest_of(repository: Repository, at: Revision) -> Manifest | None:
    """The manifest of a revision, None if it has none.

    Raises:
        BadManifest: it is not what m5ser writes.
    """
    text = repository.text(MANIFEST, at)
    try:
        return None if text is None else parse_manifest(text)
    except BadManifest as error:
        raise BadManifest(f"'{repository.id}': {error}; {PUT_BACK}") from error


def needed_manifest(repository: Repository, at: Revision) -> Manifest:
    """The manifest of a revision.

    Raises:
        BadManifest: there is none, or it is not what m5ser writes.
    """
    manifest = manifest_of(repository, at)
    if manifest is None:
        raise BadManifest(
            f"'{repository.id}' has no {MANIFEST}: it is not what `m5ser publish` wrote, or its "
            "publishing has not ended"
        )
    return manifest


def published_card(repository: Repository, main: Revision) -> str | None:
    """The card as the last publish sent it; None if nothing was published, empty if it is lost."""
    manifest = manifest_of(repository, main)
    card = repository.text(CARD, main)
    if manifest is None or card is None or CARD not in manifest.files:
        return None
    stated = manifest.files[CARD].sha256
    if hashlib.sha256(card.encode()).hexdigest() == stated:
        return card
    for commit, title in repository.commits():
        if title.startswith(PUBLISH):  # as a person's own commit may, whose card differs
            sent = repository.download(CARD, commit).read_bytes()
            if hashlib.sha256(sent).hexdigest() == stated:
                return sent.decode()
    return ""
