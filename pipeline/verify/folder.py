"""All checks of a folder, in their order."""

from __future__ import annotations

from pathlib import Path

from pipeline.dataset.layout import MANIFEST, RECIPE, WEIGHTS
from pipeline.dataset.licence import licence_of
from pipeline.dataset.manifest import Manifest, read_manifest, walk
from pipeline.dataset.reading import open_folder
from pipeline.errors import InputError
from pipeline.hub.package import BadPackage, Package, kind_of
from pipeline.hub.repository import Kind
from pipeline.plain import plain
from pipeline.recipe import Recipe, published
from pipeline.recipe_file import parse_recipe
from pipeline.settings_file import BadRecipe
from pipeline.verify.claims import check_claims
from pipeline.verify.files import check_files
from pipeline.verify.findings import Findings
from pipeline.verify.shards import check_clips, check_schemas


def verify_folder(
    folder: Path,
    manifest: Manifest | None = None,
    kind: Kind | None = None,
    *,
    listen: bool = True,
) -> Findings:
    """Look at every file of a dataset or model folder; with `listen` also at every clip.

    `manifest`: the folder's own where none is given; `kind`: that of the repository, if it came
    from one, whatever its manifest says. Nothing of the folder is executed.

    Raises:
        InputError: it has no manifest to hold it against.
    """
    findings = Findings()
    for name, path in walk(folder):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(f"'{plain(name)}' is neither a file nor a folder: nothing is read")
    manifest = manifest or read_manifest(folder)
    kind = kind or kind_of(manifest)
    check_files(folder, manifest, kind, findings)
    if kind == "model":
        _check_weights(folder, manifest, findings)
    elif recipe := _recipe(folder, findings):
        shards = check_schemas(folder, recipe, findings)
        if listen:
            check_clips(folder, recipe, shards, findings)
        if not findings.wrong["schema"]:
            check_claims(folder, recipe, manifest, findings)
    return findings


def check_package(package: Package) -> None:
    """Refuse to publish a folder that is not what its manifest, rows and card say; clips aside.

    Raises:
        BadPackage: with the first of its problems, or the reasons why it may not be shared.
    """
    findings = verify_folder(package.folder, package.manifest, package.kind, listen=False)
    if findings.wrong:
        fix = f"build '{package.folder}' again with `m5ser build`, or move what is not of the set "
        fix += "out of it and write what m5ser writes (report, card, manifest) with `m5ser report`"
        raise BadPackage("\n".join([*findings.sentences(), fix]))
    if package.kind == "dataset":
        _refuse_unshareable(package.folder)


def _refuse_unshareable(folder: Path) -> None:
    """Also in a private repository: the Hub is another's machine."""
    recipe = parse_recipe((folder / RECIPE).read_text(encoding="utf-8"))
    with open_folder(folder, published(recipe)) as dataset:
        licence = licence_of(dataset)
    if not licence.may_share:
        raise BadPackage(f"'{folder}' may not be shared: {'; '.join(licence.reasons)}")


def _recipe(folder: Path, findings: Findings) -> Recipe | None:
    with findings.reading("recipe", RECIPE):
        try:
            return parse_recipe((folder / RECIPE).read_text(encoding="utf-8"))
        except BadRecipe as bad:
            for error in bad.errors:
                findings.report("recipe", RECIPE, error)
    return None


def _check_weights(folder: Path, manifest: Manifest, findings: Findings) -> None:
    """The weights are safetensors, numbers and nothing that is executed, and give the model's
    fingerprint."""
    from safetensors import SafetensorError, safe_open

    if WEIGHTS not in manifest.files:
        return  # said of the files
    if manifest.fingerprint != manifest.files[WEIGHTS].sha256:
        findings.report("weights", f"{MANIFEST}, fingerprint", "it is not that of the weights")
    with findings.reading("weights", WEIGHTS):
        try:
            with safe_open(folder / WEIGHTS, framework="np") as file:
                findings.checks["weights"] = f"{len(file.keys())} tensors"
        except SafetensorError as error:
            findings.report("weights", WEIGHTS, f"they are no safetensors: {error}")
