"""The two halves of a push: data to a branch of its own, then the main branch in one commit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.dataset.layout import CARD, MANIFEST, RECIPE, ROWS
from pipeline.dataset.manifest import FileEntry
from pipeline.hub.difference import CHANGES, Difference, changes_file, difference
from pipeline.hub.errors import Conflict, HubRefused
from pipeline.hub.own_text import merge_card
from pipeline.hub.package import Package
from pipeline.hub.remote import PUBLISH, manifest_of, published_card
from pipeline.hub.repository import Repository, Revision

if TYPE_CHECKING:
    from pipeline.hub.repository import Operation

STAGING = "m5ser-publishing-"
"""How the branch of a push begins; the fingerprint of what is pushed follows."""
_BATCH_FILES, _BATCH_BYTES = 64, 1 << 30
_CONFLICTS = 5

Advance = Callable[[int, int], None]
"""Called with the bytes that are on the Hub, and those that are due."""


@dataclass(frozen=True)
class Push:
    """A folder on its way to a repository; `tag` names the version, if it has a name."""

    package: Package
    repository: Repository
    tag: str | None

    @property
    def staging(self) -> str:
        """The branch for its data: its own, so that two who publish at once don't mix theirs."""
        return f"{STAGING}{self.package.manifest.fingerprint[:12]}"

    def staged(self) -> Revision:
        """What an earlier attempt, or this one, has left there."""
        if self.staging in self.repository.branches():
            return self.repository.read(self.staging)
        return Revision("", {})

    def path(self, name: str) -> Path:
        """A file of the folder."""
        return self.package.folder / name

    @property
    def card(self) -> str:
        """The folder's card."""
        return self.path(CARD).read_text(encoding="utf-8")

    def is_there(self, name: str, revision: Revision) -> bool:
        """Whether a revision has a file of the folder, under its name, as it is."""
        held = revision.files.get(name)
        stated = self.package.manifest.files[name].sha256
        return held is not None and held.is_same(self.path(name), stated)


def send_data(push: Push, main: Revision, staged: Revision, advance: Advance) -> tuple[int, int]:
    """Commit the data that the Hub lacks to the staging branch; files and bytes sent.

    Raises:
        HubRefused: somebody else writes to that branch.
    """
    sizes = push.package.manifest.files
    due = [
        name
        for name in push.package.data()
        if not push.is_there(name, main) and not push.is_there(name, staged)
    ]
    total = sum(sizes[name].bytes for name in due)
    if due:
        push.repository.branch(push.staging, main.commit)
    done = 0
    advance(done, total)
    for batch in _batches(due, sizes):
        _stage(push, batch)
        done += sum(sizes[name].bytes for name in batch)
        advance(done, total)
    return len(due), total


def _stage(push: Push, batch: Sequence[str]) -> None:
    try:
        push.repository.commit(
            partial(_additions, push, batch),
            f"Data of {push.package.name}: {len(batch)} files",
            branch=push.staging,
        )
    except Conflict as error:
        raise HubRefused(
            f"somebody else publishes the same to '{push.repository.id}' ({error}): wait until "
            "they have ended, and give the same command again"
        ) from error


def _batches(names: Sequence[str], sizes: Mapping[str, FileEntry]) -> Iterator[list[str]]:
    """Names in groups that a commit takes; a large file is a group of its own."""
    batch: list[str] = []
    size = 0
    for name in names:
        if batch and (len(batch) == _BATCH_FILES or size + sizes[name].bytes > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += sizes[name].bytes
    if batch:
        yield batch


def _additions(push: Push, names: Sequence[str]) -> list[Operation]:
    return [_addition(name, push.path(name)) for name in names]


def _addition(name: str, content: Path | bytes) -> Operation:
    from huggingface_hub import CommitOperationAdd

    return CommitOperationAdd(name, content if isinstance(content, bytes) else str(content))


def move_main(push: Push) -> tuple[str, Difference | None, int]:
    """Make the main branch what the folder is; its commit, the difference, and commits made.

    Raises:
        HubRefused: others commit to it all the time, or have taken the data away.
    """
    for _ in range(_CONFLICTS):
        main = push.repository.read()
        changed = _difference(push, main)
        contents = _contents(push, main, changed)
        staged = push.staged()
        if not _operations(push, main, staged, contents):
            return main.commit, changed, 0
        try:
            revision = push.repository.commit(
                partial(_operations, push, main, staged, contents),
                _title(push, changed),
                description=changed.as_markdown() if changed else "",
                parent=main.commit,
            )
        except Conflict:
            continue
        return revision, changed, 1
    raise HubRefused(
        f"'{push.repository.id}' was changed by others {_CONFLICTS} times while it was published: "
        "agree with them, and give the same command again"
    )


def _title(push: Push, changed: Difference | None) -> str:
    name = f"{PUBLISH}{push.package.name}{f' {push.tag}' if push.tag else ''}"
    return f"{name}: {changed.summary}" if changed else name


def is_published(push: Push, main: Revision) -> bool:
    """Whether the main branch is already all that a push would make it."""
    if not all(push.is_there(name, main) for name in push.package.data()):
        return False
    contents = _contents(push, main, _difference(push, main))
    return not _operations(push, main, Revision("", {}), contents)


def is_current(push: Push, main: Revision) -> bool:
    """Whether what was published last is the same build; its card may have changed since."""
    manifest = manifest_of(push.repository, main)
    return manifest is not None and manifest.fingerprint == push.package.manifest.fingerprint


def _difference(push: Push, main: Revision) -> Difference | None:
    """What the folder changes against the last published set; None for a model, and at first."""
    recipe = push.repository.text(RECIPE, main)
    if recipe is None or ROWS not in main.files or ROWS not in push.package.manifest.files:
        return None
    return difference(
        push.repository.download(ROWS, main.commit),
        push.path(ROWS),
        recipe,
        push.path(RECIPE).read_text(encoding="utf-8"),
    )


def card_to_send(push: Push, main: Revision) -> bytes:
    """The card to send, with what people wrote on the Hub."""
    found = push.repository.text(CARD, main)
    return merge_card(push.card, published_card(push.repository, main), found).encode()


def _contents(push: Push, main: Revision, changed: Difference | None) -> dict[str, bytes]:
    """The files that are made while publishing: the card, the manifest over it, the changes."""
    card = card_to_send(push, main)
    manifest = json.loads(push.package.text)
    manifest["files"][CARD] = {"sha256": hashlib.sha256(card).hexdigest(), "bytes": len(card)}
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    contents = {CARD: card, MANIFEST: text.encode()}
    if is_current(push, main):
        return contents
    name = push.tag or push.package.manifest.fingerprint[:12]
    said = changed.as_markdown() if changed else "- the first that was published\n"
    before = push.repository.text(CHANGES, main)
    return {**contents, CHANGES: changes_file(before, name, said).encode()}


def _operations(
    push: Push, main: Revision, staged: Revision, contents: Mapping[str, bytes]
) -> list[Operation]:
    """What makes the main branch the folder: copies of data, small files, and stale ones gone."""
    from huggingface_hub import CommitOperationCopy, CommitOperationDelete

    due = [name for name in push.package.data() if not push.is_there(name, main)]
    lost = [name for name in due if not push.is_there(name, staged)]
    if lost:
        raise HubRefused(
            f"'{push.repository.id}': {lost[0]} is no longer on the branch {push.staging}, where "
            "it was sent: give the same command again"
        )
    copies = [CommitOperationCopy(name, name, src_revision=staged.commit) for name in due]
    rest = [name for name in push.package.rest() if not push.is_there(name, main)]
    made = [
        _addition(name, content)
        for name, content in contents.items()
        if name not in main.files or not main.files[name].has(content)
    ]
    last = manifest_of(push.repository, main)
    stale = set(last.files if last else ()) & set(main.files) - set(push.package.manifest.files)
    return [*copies, *_additions(push, rest), *made, *map(CommitOperationDelete, sorted(stale))]
