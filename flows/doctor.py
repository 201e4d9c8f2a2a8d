"""`m5ser doctor`: what each recipe lacks on this machine, and the command that gets it.

Nothing is downloaded and no model is loaded; of a token it is said that there is one, never which.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import requires
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.plan import disk_bytes, make_plan
from pipeline.corpora.base import CorpusMissing
from pipeline.engine import release
from pipeline.errors import InputError
from pipeline.needs import Lack
from pipeline.provenance.components import components_of
from pipeline.recipe import Recipe, published
from pipeline.recipe_file import load_recipe

_PACKAGE = "m5ser"
_EXTRAS = ("neural", "train", "watermark", "dask", "ray")
"""Those that a person may want to run recipes."""
_SMOKE, _TINY = "m5ser-smoke", "checkpoints/"
"""The recipe whose models are made and not downloaded, and their folder."""
_EMBEDDED = "quickstart"
"""The recipe that needs nothing but the installation."""


@dataclass(frozen=True)
class Diagnosis:
    """What a recipe lacks here."""

    recipe: str
    lacks: tuple[Lack, ...]


@dataclass(frozen=True)
class Machine:
    """What there is, whatever the recipe."""

    cores: int
    gpus: tuple[str, ...]
    free_disk_gb: float
    hub_cache: str
    hub_token: bool
    packages: dict[str, str | None]


@dataclass(frozen=True)
class Checkup:
    """The machine, and what the recipes lack on it."""

    machine: Machine
    diagnoses: tuple[Diagnosis, ...]
    runs: bool
    """Whether the recipes that were asked for can run; of all bundled ones, the embedded one."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)

    def print_to(self, console: Console) -> None:
        """For a person."""
        machine = self.machine
        table = Table(title="this machine", show_header=False)
        absent = [name for name, found in machine.packages.items() if found is None]
        for name, value in (
            ("cores", str(machine.cores)),
            ("GPU", ", ".join(machine.gpus) or "none: GPU work runs on the CPU, slowly"),
            ("free disk", f"{machine.free_disk_gb:.0f} GB"),
            ("Hub cache", machine.hub_cache),
            ("Hub token", "there is one" if machine.hub_token else "none; gated models need one"),
            ("optional packages", f"missing: {', '.join(absent)}" if absent else "all installed"),
        ):
            table.add_row(name, value)
        console.print(table)
        for diagnosis in self.diagnoses:
            state = "can run" if not diagnosis.lacks else f"lacks {len(diagnosis.lacks)}"
            console.print(f"{diagnosis.recipe}: {state}", markup=False)
            for lack in diagnosis.lacks:
                console.print(f"  {lack.what}\n    {lack.fix}", markup=False, soft_wrap=True)


def check(names: Sequence[str], overrides: Sequence[str], work: Path) -> Checkup:
    """Look at the machine, and at recipes by name or path (none: all that are bundled).

    Raises:
        InputError: a recipe that was named can't be read.
    """
    chosen = list(names) or bundled_recipes()
    diagnoses = tuple(_diagnose(name, load_recipe(name, overrides), work) for name in chosen)
    decisive = [one for one in diagnoses if names or one.recipe == _EMBEDDED]
    return Checkup(_machine(work), diagnoses, not any(one.lacks for one in decisive))


def bundled_recipes() -> list[str]:
    """Names of the recipes that come with m5ser."""
    names = (entry.name for entry in files("recipes").iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def _diagnose(name: str, recipe: Recipe, work: Path) -> Diagnosis:
    lacks = [
        *_packages(recipe),
        *_corpora(recipe),
        *_tables(recipe),
        *recipe.lacks(),
        *_disk(recipe, work),
    ]
    if recipe.name == _SMOKE:
        made = Lack(f"what the tests make in {_TINY}", f"python -m tests.checkpoints {_TINY}")
        lacks = [made if _TINY in lack.what else lack for lack in lacks]
    return Diagnosis(name, tuple(dict.fromkeys(lacks)))


def _packages(recipe: Recipe) -> Iterator[Lack]:
    """Python packages that the ledger names for the recipe's engines."""
    wanted = [one.package for one in components_of(published(recipe)) if one.package]
    for package in dict.fromkeys(wanted):
        if release(package) is None:
            yield Lack(f"the package {package}", _install(package))


def _install(package: str) -> str:
    """The command that installs a package: with its extra, if it belongs to one."""
    extras = [one for one in _EXTRAS if package in _requirements(one)]
    extra = f"[{extras[0]}]" if extras else ""
    return f"pip install -e '.{extra}' -c requirements/all.lock"


def _requirements(extra: str) -> set[str]:
    """Names of the packages of an extra of this installation."""
    marked = [line for line in requires(_PACKAGE) or [] if f'extra == "{extra}"' in line]
    return {_name_of(line) for line in marked}


def _name_of(requirement: str) -> str:
    for place, character in enumerate(requirement):
        if not (character.isalnum() or character in "-_."):
            return requirement[:place]
    return requirement


def _corpora(recipe: Recipe) -> Iterator[Lack]:
    try:
        next(iter(recipe.corpus.read()), None)
    except CorpusMissing as missing:
        for gap in missing.gaps:
            yield Lack(f"{gap.kind} '{gap.path}' ({gap.field})", str(gap).partition("'. ")[2])
    except InputError as wrong:
        yield Lack(str(wrong), "mend it, or name another with --set")


def _tables(recipe: Recipe) -> Iterator[Lack]:
    try:
        recipe.need_tables()
    except InputError as wrong:
        yield Lack(str(wrong), "write it, or name another with --set")


def _disk(recipe: Recipe, work: Path) -> Iterator[Lack]:
    try:
        speech_s = make_plan(recipe.model_copy(update={"licence": None}), None).speech_hours * 3600
    except InputError:
        return  # the corpus or a table is missing, which is said already
    needed, free = disk_bytes(recipe, speech_s), _free_bytes(work)
    if needed > free:
        yield Lack(
            f"{(needed - free) / 1e9:.1f} GB more of disk: {needed / 1e9:.1f} GB are needed",
            f"free some, or name another place with --work and --out; now '{work}'",
        )


def _free_bytes(work: Path) -> int:
    there = next(one for one in (work, *work.resolve().parents) if one.exists())
    return shutil.disk_usage(there).free


def _machine(work: Path) -> Machine:
    import torch
    from huggingface_hub import constants, get_token

    gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    optional = sorted({name for extra in _EXTRAS for name in _requirements(extra)})
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        gpus=tuple(torch.cuda.get_device_name(one) for one in gpus),
        free_disk_gb=round(_free_bytes(work) / 1e9, 1),
        hub_cache=str(constants.HF_HUB_CACHE),
        hub_token=get_token() is not None,
        packages={name: release(name) for name in optional},
    )
