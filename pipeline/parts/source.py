"""Where a set lies that a part is taken of: on the Hub, or in a folder of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.dataset.reading import damage_named
from pipeline.hub.repository import Repository, Revision


class SetSource(Protocol):
    """A set at one state, which `revision` names."""

    @property
    def name(self) -> str:
        """What the card of a part calls it: no path, as the part may be published."""

    @property
    def revision(self) -> str:
        """Another one as soon as anything in the set is another."""

    @property
    def mend(self) -> str:
        """What to do where a file of it is missing."""

    def has(self, name: str) -> bool:
        """Whether a file is there."""

    def text(self, name: str) -> str | None:
        """A text file; None if it isn't there."""

    def file(self, name: str) -> Path:
        """A file that is there, as it lies on this machine."""


@dataclass(frozen=True)
class OnHub:
    """A set in a repository of the Hub, as it stood when it was read."""

    repository: Repository
    at: Revision

    mend = "ask who published the set to publish it again"

    @property
    def name(self) -> str:
        """The full name of the repository."""
        return self.repository.id

    @property
    def revision(self) -> str:
        """The commit."""
        return self.at.commit

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return name in self.at.files

    def text(self, name: str) -> str | None:
        """A text file; None if it isn't there."""
        return self.repository.text(name, self.at)

    def file(self, name: str) -> Path:
        """A file that is there, downloaded into the client's cache."""
        return self.repository.download(name, self.at.commit)


@dataclass(frozen=True)
class InFolder:
    """A set in a folder, of which nothing is copied; `revision` is its manifest's SHA-256."""

    folder: Path
    revision: str

    mend = "`m5ser verify` says what else is wrong; build or pull the set again"

    @property
    def name(self) -> str:
        """The folder's last name."""
        return self.folder.resolve().name

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return (self.folder / name).is_file()

    def text(self, name: str) -> str | None:
        """A text file; None if it isn't there.

        Raises:
            InputError: it is no text.
        """
        if not self.has(name):
            return None
        with damage_named(self.folder):
            return (self.folder / name).read_text(encoding="utf-8")

    def file(self, name: str) -> Path:
        """A file that is there."""
        return self.folder / name
