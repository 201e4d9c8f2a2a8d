"""What a Hub holds: repositories with branches, tags and commits, and large files by hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Blob:
    """A file of a commit; `sha256` if it is kept beside git, as large files are."""

    content: bytes
    sha256: str | None = None

    @property
    def oid(self) -> str:
        """Git's hash of what git holds: the content, or the pointer to it."""
        held = self.pointer if self.sha256 else self.content
        return hashlib.sha1(b"blob %d\0" % len(held) + held).hexdigest()  # noqa: S324

    @property
    def pointer(self) -> bytes:
        return (
            "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{self.sha256}\nsize {len(self.content)}\n"
        ).encode()

    def described(self, path: str) -> dict:
        entry = {"type": "file", "path": path, "size": len(self.content), "oid": self.oid}
        if self.sha256:
            size, pointer = len(self.content), len(self.pointer)
            entry["lfs"] = {"oid": self.sha256, "size": size, "pointerSize": pointer}
        return entry


@dataclass(frozen=True)
class Commit:
    """A state of all files."""

    oid: str
    title: str
    description: str
    files: dict[str, Blob]
    parent: str | None


@dataclass
class Repo:
    """A repository; a new one has a first commit, as on the Hub."""

    kind: str
    id: str
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.add("main", "initial commit", "", {".gitattributes": Blob(b"*.parquet filter=lfs\n")})

    def add(self, branch: str, title: str, description: str, files: dict[str, Blob]) -> Commit:
        parent = self.branches.get(branch)
        names = sorted((path, blob.oid) for path, blob in files.items())
        oid = hashlib.sha1(repr((parent, len(self.commits), names)).encode()).hexdigest()  # noqa: S324
        self.commits[oid] = Commit(oid, title, description, files, parent)
        self.branches[branch] = oid
        return self.commits[oid]

    def at(self, revision: str) -> Commit | None:
        found = self.branches.get(revision) or self.tags.get(revision) or revision
        return self.commits.get(found)

    def history(self, revision: str) -> list[Commit]:
        commit, found = self.at(revision), []
        while commit:
            found.append(commit)
            commit = self.commits.get(commit.parent or "")
        return found

    def put(self, path: str, content: bytes, title: str = "Edit on the site") -> None:
        """What a person does in the browser."""
        files = {**self.commits[self.branches["main"]].files, path: Blob(content)}
        self.add("main", title, "", files)

    def files(self, revision: str = "main") -> dict[str, bytes]:
        commit = self.at(revision)
        return {path: blob.content for path, blob in commit.files.items()} if commit else {}

    def refs(self) -> dict:
        def listed(names: dict[str, str], prefix: str) -> list[dict]:
            return [
                {"name": name, "ref": f"refs/{prefix}/{name}", "targetCommit": oid}
                for name, oid in names.items()
            ]

        branches, tags = listed(self.branches, "heads"), listed(self.tags, "tags")
        return {"branches": branches, "converts": [], "tags": tags}
