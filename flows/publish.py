"""`m5ser publish`, `verify` and `pull`: to the Hub, from it, and whether it is what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from flows.progress import NowAndThen
from pipeline.cards.describe import describe
from pipeline.dataset.layout import MANIFEST, RECIPE
from pipeline.dataset.manifest import Manifest, read_manifest
from pipeline.dataset.place import put_in_place
from pipeline.engine import file_sha256
from pipeline.errors import InputError
from pipeline.hub.package import kind_of
from pipeline.hub.publish import Options, Published, publish
from pipeline.hub.remote import needed_manifest
from pipeline.hub.repository import MAIN, Kind, Repository, Revision, connect
from pipeline.parts.pull import Selection, needed_shards, pull
from pipeline.parts.source import InFolder, OnHub, SetSource
from pipeline.recipe_file import parse_recipe
from pipeline.verify.files import BESIDE
from pipeline.verify.findings import Findings
from pipeline.verify.folder import check_package, verify_folder
from pipeline.verify.remake import check_remade

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class PublishOutcome:
    """What a publish came to."""

    published: Published

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self.published)

    def print_to(self, console: Console) -> None:
        """For a person."""
        done = self.published
        seen = "private" if done.private else "public"
        console.print(f"{done.url} ({seen}), revision {done.revision[:12]}", markup=False)
        if not done.commits:
            console.print("nothing has changed since it was published last")
        console.print(
            f"{done.sent} data files were sent ({done.sent_bytes / 1e6:.1f} MB), "
            f"{done.there} were there already"
        )
        if done.own_section_left_out:
            console.print(
                "README.md: what you wrote in its own section of the folder was not sent, as the "
                "Hub's has another text, which stands: edit it there",
                style="yellow",
                markup=False,
            )
        for branch in done.unfinished:
            console.print(
                f"{branch} is of a publish that has not ended, and its data counts on the Hub: if "
                "nobody is sending it, remove it with "
                f"`hf repos branch delete {done.repository} {branch} --type {done.kind}`",
                style="yellow",
                markup=False,
                soft_wrap=True,
            )
        if done.difference:
            console.print(done.difference.summary, markup=False)


def run_publish(folder: Path, repo_id: str, options: Options, console: Console) -> PublishOutcome:
    """Publish a dataset or model folder, with a bar of the bytes that arrive.

    Raises:
        InputError: see `publish`.
    """
    with _bar("sent", console) as advance:
        return PublishOutcome(publish(folder, repo_id, options, check_package, advance))


@contextmanager
def _bar(what: str, console: Console) -> Iterator[Callable[[int, int], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    if not console.is_terminal:
        yield NowAndThen(what, console)
        return
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


@dataclass(frozen=True)
class VerifyOutcome:
    """What a verification found in `name`."""

    name: str
    findings: Findings

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"verified": self.name, "sound": self.is_sound, **self.findings.as_dict()}

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings.wrong

    def print_to(self, console: Console) -> None:
        """For a person: what was looked at, and what is wrong."""
        for check, what in self.findings.checks.items():
            wrong = self.findings.wrong[check]
            mark = f"{wrong} wrong" if wrong else "right"
            console.print(f"{mark:<10}", style="red" if wrong else "green", end="")
            console.print(f"{check:<9}{what}", markup=False)
        for sentence in self.findings.sentences():
            console.print(sentence, style="red", markup=False)


def run_verify(
    name: str, revision: str | None, rebuild: int, overrides: Sequence[str]
) -> VerifyOutcome:
    """Verify a folder, or a repository of the Hub, which is downloaded into the Hub's cache.

    Raises:
        InputError: it is neither, it has no manifest, a folder is asked for a revision, there are
            overrides and nothing to make again, or the set's corpus is not at hand.
    """
    if overrides and not rebuild:
        raise InputError(f"--set {overrides[0]}: it is for --rebuild N, which makes N clips again")
    folder = Path(name)
    if folder.is_dir():
        if revision is not None:
            raise InputError(
                f"--revision {revision}: '{name}' is a folder here, which has none: leave it out"
            )
        manifest, unknown = read_manifest(folder), list[str]()
        kind = kind_of(manifest)
    else:
        folder, manifest, kind, unknown = _downloaded(name, revision)
    if rebuild and kind == "model":
        raise InputError(f"--rebuild: '{name}' is a model, which has no clips to make again")
    findings = verify_folder(folder, manifest, kind)
    for one in unknown:
        findings.report("files", one, f"{MANIFEST} does not have it")
    if rebuild and not findings.wrong["recipe"]:
        recipe = parse_recipe((folder / RECIPE).read_text(encoding="utf-8"), overrides)
        check_remade(folder, recipe.pinned(), rebuild, findings)
    return VerifyOutcome(name, findings)


def _downloaded(name: str, revision: str | None) -> tuple[Path, Manifest, Kind, list[str]]:
    """The files that a repository's manifest has, in the cache; its kind; names of all others."""
    repository, at, manifest = _published(name, revision)
    wanted = [*manifest.files, MANIFEST]
    folder = repository.snapshot([one for one in wanted if one in at.files], at)
    return folder, manifest, repository.kind, sorted(set(at.files) - set(wanted) - BESIDE)


def _published(name: str, revision: str | None) -> tuple[Repository, Revision, Manifest]:
    """A repository of the name of a folder that isn't there."""
    if not _REPOSITORY.fullmatch(name):
        raise InputError(f"'{name}' is neither a folder nor a repository of the Hub (owner/name)")
    try:
        return _read_repository(name, revision)
    except InputError as error:
        raise InputError(f"there is no folder '{name}'; as a repository: {error}") from error


def _read_repository(name: str, revision: str | None) -> tuple[Repository, Revision, Manifest]:
    repository = connect(name, "dataset", must_write=False)
    if not repository.exists() and repository.exists("model"):
        repository = connect(name, "model", must_write=False)
    at = repository.read(revision or MAIN)
    return repository, at, needed_manifest(repository, at)


@dataclass(frozen=True)
class PullOutcome:
    """The folder of a part of a set: its rows and seconds, and what was downloaded for it.

    `shards`: those of the set that have some of it.
    `left_out`: each `language/split` whose share of the hours has room for no clip.
    """

    folder: Path
    rows: int
    seconds: float
    downloaded_bytes: int
    shards: int
    left_out: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "folder": str(self.folder)}

    def print_to(self, console: Console) -> None:
        """For a person."""
        came = f" ({self.downloaded_bytes / 1e6:.1f} MB)" if self.downloaded_bytes else ""
        console.print(
            f"{self.folder}: {self.rows} rows, {self.seconds / 3600:.2f} h, from {self.shards} "
            f"shards{came}",
            markup=False,
        )
        if self.left_out:
            console.print(
                f"--hours: their share has room for no clip of {', '.join(self.left_out)}, of "
                "which the part has nothing: ask for more",
                style="yellow",
                markup=False,
            )


def _refuse_full(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"--out: '{folder}' is not empty: name another folder")


def run_pull(
    name: str, revision: str | None, selection: Selection, out: Path | None, console: Console
) -> PullOutcome:
    """Write a part of a set, of the Hub or of a folder, as a dataset folder of its own.

    Without an `out` it is `builds/NAME`, and of a folder `builds/NAME-part`.

    Raises:
        InputError: the set has no such part, or the folder is in use.
    """
    folder = out or _place(name)
    _refuse_full(folder)
    source, manifest = _source(name, revision, folder)
    if kind_of(manifest) == "model":
        raise InputError(f"'{name}' is a model, which has no parts")
    shards = sum(map(len, needed_shards(manifest, selection).values()))
    with put_in_place(folder) as partial:
        _refuse_full(folder)  # another pull may have been here since
        with _bar("pulled", console) as advance:
            done = pull(source, manifest, selection, partial, advance)
        describe(partial)
    written = [entry for _, entry in read_manifest(folder).shards()]
    rows = sum(entry.rows or 0 for entry in written)
    seconds = sum(entry.seconds or 0.0 for entry in written)
    left_out = tuple(f"{language}/{split}" for language, split in done.left_out)
    downloaded = done.read_bytes if isinstance(source, OnHub) else 0
    return PullOutcome(folder, rows, seconds, downloaded, shards, left_out)


def _place(name: str) -> Path:
    """Where a part is written: a set of its whole name may lie in `builds` itself."""
    whole = Path(name)
    last = f"{whole.resolve().name}-part" if whole.is_dir() else name.rpartition("/")[2]
    return Path("builds") / last


def _source(name: str, revision: str | None, out: Path) -> tuple[SetSource, Manifest]:
    folder = Path(name)
    if not folder.is_dir():
        repository, at, manifest = _published(name, revision)
        return OnHub(repository, at), manifest
    manifest = read_manifest(folder)
    if out.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"--out: '{out}' lies in '{name}' itself: name a folder outside of it")
    found = file_sha256(folder / MANIFEST)
    if revision not in (None, found):
        raise InputError(
            f"--revision: the SHA-256 of {MANIFEST} in '{name}' is {found}, not {revision}: leave "
            "it out to take the part of what the folder holds now"
        )
    return InFolder(folder, found), manifest
