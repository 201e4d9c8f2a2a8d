"""What is published of a folder: a dataset by its manifest, or a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from pipeline.dataset.layout import (
    BUILD,
    CARD,
    CREDENTIALS,
    DATA,
    FAILURES,
    MANIFEST,
    RECIPE,
    REJECTS,
    ROWS,
    WEIGHTS,
    is_of_a_set,
)
from pipeline.dataset.manifest import Manifest, manifest_text, parse_manifest, read_manifest
from pipeline.engine import M5SER_VERSION, file_sha256
from pipeline.errors import InputError
from pipeline.hub.repository import Kind
from pipeline.plain import plain
from pipeline.recipe import texts_in
from pipeline.settings_file import BadRecipe, parse_yaml

_SHARDS = (f"{DATA}/", f"{REJECTS}/")
_OF_A_MODEL = (
    CARD,
    WEIGHTS,
    RECIPE,
    "config.json",
    "metrics.csv",
    "curves.png",
    "evaluation.json",
    "evaluation.md",
    "figures/confusion.png",
    "figures/embeddings.png",
)
"""Files that `m5ser train` and `m5ser evaluate` write into a model's folder to be published; what
only a training needs, and what its owner put beside them, stays at home."""
_OF_EVERY_MODEL = frozenset({CARD, WEIGHTS, RECIPE})
_OF_EVERY_SET = frozenset({CARD, CREDENTIALS, ROWS, RECIPE, BUILD, FAILURES})
LINK = "is a link to somewhere else: put the file itself there"
FOREIGN = "is no file of a set: move it out of the folder, and give `m5ser report` for it"
_FOREIGN_TO_A_MODEL = "is no file of a model: take it away"


class BadPackage(InputError):
    """A folder that can't be published as it is."""


@dataclass(frozen=True)
class Package:
    """A folder to publish: its kind, its manifest, and the manifest's text."""

    folder: Path
    kind: Kind
    manifest: Manifest
    text: str

    @property
    def name(self) -> str:
        """The name of its recipe."""
        return self.manifest.recipe

    def data(self) -> list[str]:
        """The large files, which are sent first."""
        return [name for name in sorted(self.manifest.files) if is_data(name)]

    def rest(self) -> list[str]:
        """All other files but the card and the manifest."""
        return [name for name in sorted(self.manifest.files) if not is_data(name) and name != CARD]


def is_data(name: str) -> bool:
    """Whether a file is a shard or a model's weights."""
    return name.startswith(_SHARDS) or name == WEIGHTS


def kind_of(manifest: Manifest) -> Kind:
    """Whether a manifest is of a set or of a model, by the names of its files.

    Weights make a model only where nothing else is of a set: a file of weights that somebody laid
    beside the shards must not keep them from being looked into.
    """
    of_a_set = any(one.startswith(_SHARDS) for one in manifest.files)
    is_set = of_a_set or BUILD in manifest.files or WEIGHTS not in manifest.files
    return "dataset" if is_set else "model"


def missing_names(manifest: Manifest, kind: Kind) -> list[str]:
    """Files that every set or model has, and this manifest has not."""
    needed = _OF_EVERY_SET if kind == "dataset" else _OF_EVERY_MODEL
    return sorted(needed - set(manifest.files))


def foreign_names(manifest: Manifest, kind: Kind) -> dict[str, str]:
    """Files that m5ser doesn't write for this kind, by name, and what to do with each."""
    if kind == "dataset":
        return {name: FOREIGN for name in sorted(manifest.files) if not is_of_a_set(name)}
    others = sorted(set(manifest.files) - set(_OF_A_MODEL))
    return dict.fromkeys(others, _FOREIGN_TO_A_MODEL)


def open_package(folder: Path) -> Package:
    """Look at a folder by names and sizes alone.

    Raises:
        BadManifest: it is neither a dataset folder nor a finished model.
        BadPackage: it is both; a file is missing, of another size than its manifest says, or none
            of a set's; or the model's recipe is none.
    """
    if (folder / WEIGHTS).is_file():
        if (folder / BUILD).exists():
            raise BadPackage(
                f"'{folder}' holds a set ({BUILD}) and a model ({WEIGHTS}): move one of them out"
            )
        return _model(folder)
    manifest = read_manifest(folder)
    wrong = [line for name in sorted(manifest.files) if (line := _wrong(folder, name, manifest))]
    if wrong:
        raise BadPackage("\n".join([*wrong, f"build '{folder}' again with `m5ser build`"]))
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    return Package(folder, "dataset", manifest, text)


def _wrong(folder: Path, name: str, manifest: Manifest) -> str | None:
    path = folder / name
    if not is_of_a_set(name):
        return f"'{name}' {FOREIGN}"
    if is_link_away(folder, path):
        return f"'{name}' {LINK}"
    if not path.is_file():
        return f"'{name}' is missing from '{folder}', but {MANIFEST} has it"
    stated, found = manifest.files[name].bytes, path.stat().st_size
    if stated != found:
        return f"'{name}' was changed: {MANIFEST} has {stated} bytes and the file {found}"
    return None


def is_link_away(folder: Path, path: Path) -> bool:
    """Whether a folder that came from elsewhere would send a file of this machine."""
    return not path.resolve().is_relative_to(folder.resolve())


def _is_absolute(text: str) -> bool:
    """Whether it is an absolute path, of whatever system."""
    return PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()


def _model(folder: Path) -> Package:
    """A finished model, with a manifest made of what lies there."""
    missing = [name for name in (CARD, RECIPE) if not (folder / name).is_file()]
    if missing:
        raise BadPackage(f"'{folder}' is no finished model: it has no {' and no '.join(missing)}")
    weights = folder / WEIGHTS
    recipe = _recipe_of_model(folder)
    telling = next(filter(_is_absolute, texts_in(recipe)), None)
    if telling is not None:
        raise BadPackage(
            f"recipe.yaml of '{folder}' names '{telling}', which tells of this machine: write a "
            "relative path there, or its last name alone"
        )
    files = [folder / name for name in sorted(_OF_A_MODEL) if (folder / name).is_file()]
    facts = {"m5ser": M5SER_VERSION, "recipe": recipe["name"], "fingerprint": file_sha256(weights)}
    away = [path.relative_to(folder) for path in files if is_link_away(folder, path)]
    if away:
        raise BadPackage(f"'{away[0].as_posix()}' {LINK}")
    text = manifest_text(facts, folder, files)
    return Package(folder, "model", parse_manifest(text), text)


def _recipe_of_model(folder: Path) -> dict[str, Any]:
    """The fields of its recipe, which has a name."""
    put_back = "put back there the one that `m5ser train` wrote"
    try:
        recipe = parse_yaml((folder / RECIPE).read_text(encoding="utf-8"))
    except (BadRecipe, UnicodeDecodeError) as bad:
        why = plain(str(bad))
        raise BadPackage(f"recipe.yaml of '{folder}' can't be read ({why}): {put_back}") from bad
    if not (isinstance(recipe, dict) and isinstance(recipe.get("name"), str)):
        raise BadPackage(f"recipe.yaml of '{folder}' is no recipe with a name: {put_back}")
    return recipe
