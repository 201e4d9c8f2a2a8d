"""Publishing a folder: its data first, beside the main branch; then all of it in one commit.

Data goes in batches to a branch of its own, where an interrupted push goes on. The main branch
moves once, from one whole set to the next: there the data is copied by name within the Hub, and
the card and the manifest come with it. Who loads the set meanwhile never sees half of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.hub.difference import Difference
from pipeline.hub.errors import HubRefused
from pipeline.hub.own_text import leaves_out
from pipeline.hub.package import Package, open_package
from pipeline.hub.push import (
    STAGING,
    Advance,
    Push,
    card_to_send,
    is_published,
    move_main,
    send_data,
)
from pipeline.hub.repository import Kind, Revision, connect, stored_bytes

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Options:
    """How to publish.

    `quota_bytes`: the most that all branches and tags of the repository may hold, each file counted
    once. Commits that none of them leads to are not read, though the Hub counts them too.
    """

    public: bool = False
    tag: str | None = None
    quota_bytes: int | None = None


@dataclass(frozen=True)
class Published:
    """What a publish came to; `sent` and `there`: data files, by whether the Hub had them.

    `unfinished`: branches of other publishes, which may be under way or were given up.
    `own_section_left_out`: the Hub's card has another text of its owner's than the folder's, and
    that one stands.
    """

    url: str
    repository: str
    kind: Kind
    private: bool
    revision: str
    sent: int
    there: int
    sent_bytes: int
    total_bytes: int
    commits: int
    difference: Difference | None
    own_section_left_out: bool
    unfinished: tuple[str, ...]


def publish(
    folder: Path, repo_id: str, options: Options, check: Callable[[Package], None], advance: Advance
) -> Published:
    """Bring a dataset or model folder to the Hub; what is there already is not sent again.

    `check` looks into the folder, once it is known that it would fit; it raises what it finds.

    Raises:
        InputError: the folder, the name, the token, the tag or the Hub does not allow it.
        HubUnreachable: the network failed again and again; the same call goes on from there.
    """
    push = _begin(folder, repo_id, options.tag)
    package = push.package
    exists = push.repository.exists()
    main = push.repository.read() if exists else Revision("", {})
    _check_name(push, exists)
    staged = push.staged() if exists else Revision("", {})
    if options.quota_bytes is not None:
        _check_room(push, exists, options.quota_bytes)
    check(package)
    if exists:
        _check_tag(push, main)
        card = card_to_send(push, main).decode()
    else:
        push.repository.create()
        main = push.repository.read()
        card = push.card
    sent, sent_bytes = send_data(push, main, staged, advance)
    revision, difference, commits = move_main(push)
    unfinished = _finish(push, revision, options.public)
    return Published(
        url=push.repository.url,
        repository=push.repository.id,
        kind=package.kind,
        private=push.repository.is_private(),
        revision=revision,
        sent=sent,
        there=len(package.data()) - sent,
        sent_bytes=sent_bytes,
        total_bytes=package.manifest.total_bytes,
        commits=commits,
        difference=difference,
        own_section_left_out=leaves_out(push.card, card),
        unfinished=unfinished,
    )


def _begin(folder: Path, repo_id: str, tag: str | None) -> Push:
    """What can be refused without looking at the repository."""
    package = open_package(folder)
    if tag and not _TAG.fullmatch(tag):
        raise HubRefused(f"--tag: '{tag}' is no name of a version: write it like v1.0")
    return Push(package, connect(repo_id, package.kind, must_write=True), tag)


def _check_name(push: Push, exists: bool) -> None:
    other: Kind = "model" if push.package.kind == "dataset" else "dataset"
    if not exists and push.repository.exists(other):
        raise HubRefused(
            f"'{push.repository.id}' is a {other} on the Hub: give the {push.package.kind} "
            "another name"
        )


def _check_tag(push: Push, main: Revision) -> None:
    """Refuse before the push what the tag would refuse after it."""
    held = push.repository.tags().get(push.tag or "")
    if held and (held != main.commit or not is_published(push, main)):
        raise HubRefused(f"--tag: '{push.tag}' names another revision: choose another")


def _check_room(push: Push, exists: bool, quota: int) -> None:
    revisions = _named_revisions(push) if exists else []
    held = {file.sha256 for one in revisions for file in one.files.values()}
    files = push.package.manifest.files.values()
    due = sum(entry.bytes for entry in files if entry.sha256 not in held)
    total = stored_bytes(revisions) + due
    if total > quota:
        raise HubRefused(
            f"--quota: '{push.repository.id}' would hold {_gb(total)}, {_gb(due)} of them new, and "
            f"{_gb(quota)} are allowed: free some, ask for more "
            "(https://huggingface.co/docs/hub/storage-limits), or publish a smaller set"
        )


def _named_revisions(push: Push) -> list[Revision]:
    """What every branch and tag holds, also those of publishes that did not end."""
    repository = push.repository
    commits = {*repository.branches().values(), *repository.tags().values()}
    return [repository.read(commit) for commit in sorted(commits)]


def _gb(size: int) -> str:
    return f"{size / 1e9:.3g} GB"


def _finish(push: Push, revision: str, public: bool) -> tuple[str, ...]:
    """Name the version, drop the staging branch, and only then let others see it.

    The staging branches that are left, of other publishes: whether somebody still sends to one is
    not known here, so none is removed.
    """
    if push.tag:
        push.repository.tag(push.tag, revision)
    branches = push.repository.branches()
    if push.staging in branches:
        push.repository.delete_branch(push.staging)
    if public and push.repository.is_private():
        push.repository.make_public()
    others = set(branches) - {push.staging}
    return tuple(sorted(name for name in others if name.startswith(STAGING)))
