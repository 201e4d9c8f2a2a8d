"""A repository on the Hub: what stands there, and the few calls that change it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from pipeline.dataset.layout import BUILD, RECIPE
from pipeline.hub.errors import Conflict, HubRefused, explained
from pipeline.hub.retry import patiently

if TYPE_CHECKING:
    from huggingface_hub import (
        CommitOperationAdd,
        CommitOperationCopy,
        CommitOperationDelete,
        HfApi,
    )

    Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete

Kind = Literal["dataset", "model"]
Result = TypeVar("Result")

MAIN = "main"
PUT_BACK = (
    "put back there the one of the last publish, from the repository's history, or ask who "
    "published it to"
)
"""What mends a file that was damaged on the Hub."""
_THREADS = 4
_LARGEST_TEXT = 1 << 25
"""Bytes of a text that are still read: the manifest of some 50,000 shards."""
_LARGEST_FACTS = dict.fromkeys((RECIPE, BUILD), 1 << 21)
"""The same of texts that don't grow with their set."""


@dataclass(frozen=True)
class HubFile:
    """A file on the Hub: `oid` is git's hash of what git holds, `sha256` that of a large file."""

    size: int
    oid: str
    sha256: str | None

    def is_same(self, path: Path, sha256: str) -> bool:
        """Whether a local file, whose SHA-256 is known, has the same content."""
        if self.sha256 is not None:
            return self.sha256 == sha256
        return self.size == path.stat().st_size and self.has(path.read_bytes())

    def has(self, content: bytes) -> bool:
        """Whether this is its content."""
        if self.sha256 is not None:
            return self.sha256 == hashlib.sha256(content).hexdigest()
        return self.oid == git_oid(content)


@dataclass(frozen=True)
class Revision:
    """A branch of a repository as it stood when it was read: its last commit, and its files."""

    commit: str
    files: Mapping[str, HubFile]


@dataclass(frozen=True)
class Repository:
    """A dataset or model repository, by its full name, and the client that reaches it."""

    api: HfApi
    id: str
    kind: Kind

    @property
    def url(self) -> str:
        """Its page."""
        prefix = "datasets/" if self.kind == "dataset" else ""
        return f"{self.api.endpoint}/{prefix}{self.id}"

    def exists(self, kind: Kind | None = None) -> bool:
        """Whether it is there, as its own kind or as another."""
        return self._call(lambda: self.api.repo_exists(self.id, repo_type=kind or self.kind))

    def create(self) -> None:
        """Make it, private, if it isn't there."""
        self._call(
            lambda: self.api.create_repo(self.id, repo_type=self.kind, private=True, exist_ok=True)
        )

    def is_private(self) -> bool:
        """Whether only its owners see it."""
        return bool(self._call(lambda: self.api.repo_info(self.id, repo_type=self.kind)).private)

    def make_public(self) -> None:
        """Let everybody see it."""
        self._call(
            lambda: self.api.update_repo_settings(self.id, repo_type=self.kind, private=False)
        )

    def read(self, revision: str = MAIN) -> Revision:
        """The files of a branch, tag or commit."""
        info = self._call(
            lambda: self.api.repo_info(self.id, repo_type=self.kind, revision=revision)
        )
        commit = str(info.sha)
        return Revision(commit, self._call(lambda: self._files(commit)))

    def _files(self, commit: str) -> dict[str, HubFile]:
        from huggingface_hub.hf_api import RepoFile

        tree = self.api.list_repo_tree(
            self.id, repo_type=self.kind, revision=commit, recursive=True
        )
        return {
            one.path: HubFile(one.size, one.blob_id, one.lfs.sha256 if one.lfs else None)
            for one in tree
            if isinstance(one, RepoFile)
        }

    def branches(self) -> dict[str, str]:
        """The commit of every branch."""
        refs = self._call(lambda: self.api.list_repo_refs(self.id, repo_type=self.kind))
        return {ref.name: ref.target_commit for ref in refs.branches}

    def tags(self) -> dict[str, str]:
        """The commit of every tag."""
        refs = self._call(lambda: self.api.list_repo_refs(self.id, repo_type=self.kind))
        return {ref.name: ref.target_commit for ref in refs.tags}

    def commits(self) -> list[tuple[str, str]]:
        """Commits of the main branch and their titles, the newest first."""
        commits = self._call(lambda: self.api.list_repo_commits(self.id, repo_type=self.kind))
        return [(one.commit_id, one.title) for one in commits]

    def download(self, name: str, revision: str) -> Path:
        """A file of a revision, in the client's cache."""
        return Path(
            self._call(
                lambda: self.api.hf_hub_download(
                    self.id, name, repo_type=self.kind, revision=revision
                )
            )
        )

    def snapshot(self, names: Sequence[str], at: Revision) -> Path:
        """A folder of the client's cache that has these files of a revision."""
        from glob import escape

        return Path(
            self._call(
                lambda: self.api.snapshot_download(
                    self.id,
                    repo_type=self.kind,
                    revision=at.commit,
                    allow_patterns=[escape(name) for name in names],
                    max_workers=_THREADS,
                )
            )
        )

    def text(self, name: str, at: Revision) -> str | None:
        """A text file of a revision; None if it isn't there.

        Raises:
            HubRefused: it is no text, or larger than any that a publish sends.
        """
        if name not in at.files:
            return None
        size, most = at.files[name].size, _LARGEST_FACTS.get(name, _LARGEST_TEXT)
        if size > most:
            raise HubRefused(
                f"'{name}' of '{self.id}' has {size / 1e6:.0f} MB, and at most {most / 1e6:.0f} MB "
                f"are read: it is not what m5ser wrote; {PUT_BACK}"
            )
        try:
            return self.download(name, at.commit).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise HubRefused(
                f"'{name}' of '{self.id}' is no text in UTF-8 ({error}): it is not what m5ser "
                f"wrote; {PUT_BACK}"
            ) from error

    def commit(
        self,
        operations: Callable[[], Sequence[Operation]],
        message: str,
        *,
        branch: str = MAIN,
        description: str = "",
        parent: str | None = None,
    ) -> str:
        """Upload and commit; returns the new commit. The operations are made anew for each attempt.

        Raises:
            Conflict: the branch no longer stands at `parent`.
        """
        done = self._call(
            lambda: self.api.create_commit(
                self.id,
                operations(),
                commit_message=message,
                commit_description=description,
                repo_type=self.kind,
                revision=branch,
                parent_commit=parent,
                num_threads=_THREADS,
            )
        )
        return str(done.oid)

    def branch(self, name: str, start: str) -> None:
        """Make a branch that begins at a commit, if it isn't there."""
        self._call(
            lambda: self.api.create_branch(
                self.id, repo_type=self.kind, branch=name, revision=start, exist_ok=True
            )
        )

    def delete_branch(self, name: str) -> None:
        """Remove a branch."""
        self._call(lambda: self.api.delete_branch(self.id, repo_type=self.kind, branch=name))

    def tag(self, name: str, commit: str) -> None:
        """Give a commit a name.

        Raises:
            HubRefused: another commit has it.
        """
        try:
            self._call(
                lambda: self.api.create_tag(self.id, repo_type=self.kind, tag=name, revision=commit)
            )
        except Conflict:
            if self.tags().get(name) != commit:
                raise HubRefused(
                    f"--tag: '{name}' names another revision: choose another"
                ) from None

    def _call(self, action: Callable[[], Result]) -> Result:
        with explained(self.id):
            return patiently(action)


def connect(repo_id: str, kind: Kind, *, must_write: bool) -> Repository:
    """A repository by its full name, `org/name`; nothing is created.

    The token is the client's: HF_TOKEN, or what `hf auth login` keeps.

    Raises:
        HubRefused: the name is not valid, or, to write, the token is missing or not accepted.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if repo_id.count("/") != 1:
        raise HubRefused(f"'{repo_id}' is no name of a repository: say it as owner/name")
    disable_progress_bars()  # ours are in their place
    repository = Repository(HfApi(library_name="m5ser"), repo_id, kind)
    if must_write:
        with explained(repo_id):
            patiently(repository.api.whoami)
    return repository


def git_oid(content: bytes) -> str:
    """Git's hash of a file's content (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    from huggingface_hub.utils.sha import git_hash

    return str(git_hash(content))


def stored_bytes(revisions: Iterable[Revision]) -> int:
    """Bytes of all files of some revisions, each content once."""
    sizes = {file.oid: file.size for one in revisions for file in one.files.values()}
    return sum(sizes.values())
