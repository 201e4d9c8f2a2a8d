"""provenance.json: what made the set, in the form of a C2PA manifest definition.

It is the JSON that C2PA's own tool signs (https://opensource.contentauthenticity.org, "manifest
definition file"), not signed here: m5ser has no certificate. The hashes of all files, this one
too, are in MANIFEST.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.dataset.layout import CREDENTIALS, MANIFEST, RECIPE
from pipeline.dataset.licence import licence_of
from pipeline.dataset.reading import DatasetFolder, open_folder
from pipeline.provenance.components import SOURCE_TYPES, Component, components_of


def write_credentials(folder: Path) -> None:
    """Write `provenance.json` of a dataset folder; the same folder gives the same bytes.

    Raises:
        LicenceError: the recipe claims a laxer licence than its components and rows allow.
        InputError: an engine of the recipe has no entry in the ledger.
    """
    with open_folder(folder) as dataset:
        text = credentials_text(dataset)
    (folder / CREDENTIALS).write_text(text, encoding="utf-8")


def credentials_text(dataset: DatasetFolder) -> str:
    """What `provenance.json` says of a dataset folder.

    Raises:
        LicenceError, InputError: as `write_credentials`.
    """
    return json.dumps(_definition(dataset), indent=1, ensure_ascii=False) + "\n"


def _definition(dataset: DatasetFolder) -> dict[str, Any]:
    build, components = dataset.build, components_of(dataset.recipe)
    licence = licence_of(dataset)
    made = {
        "fingerprint": build["fingerprint"],
        "clip_fingerprint": build["clip_fingerprint"],
        "recipe": RECIPE,
        "licence": dataset.recipe["licence"] or licence.spdx,
        "licence_reasons": list(licence.reasons),
    }
    return {
        "claim_generator_info": [{"name": "m5ser", "version": build["m5ser"]}],
        "title": dataset.recipe["name"],
        "format": "audio/flac",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": _actions(dataset, components)}},
            {"label": "m5ser.recipe", "data": made},
            {"label": "m5ser.files", "data": {"alg": "sha256", "hashes": MANIFEST}},
        ],
        "ingredients": [_ingredient(one, build["components"]) for one in components],
    }


def _actions(dataset: DatasetFolder, components: tuple[Component, ...]) -> list[dict[str, Any]]:
    """One creation, and what was done to the clips after it."""
    known = {"synthesizer": "c2pa.created", "audioseal": "c2pa.watermarked"}
    actions = [
        {
            "action": known.get(one.kind) or known.get(one.name, "c2pa.edited"),
            "softwareAgent": {
                "name": one.name,
                "version": dataset.build["components"].get(one.name) or one.revision,
            },
        }
        for one in components
        if one.kind in ("synthesizer", "tool")
    ]
    [created] = [one for one in components if one.kind == "synthesizer"]
    actions[0]["digitalSourceType"] = f"{SOURCE_TYPES}{created.source_type}"
    return actions


def _ingredient(component: Component, versions: dict[str, str]) -> dict[str, Any]:
    facts = {
        "kind": component.kind,
        "version": versions.get(component.name) or component.revision,
        "licence": component.licence,
        "address": component.address,
    }
    stated = {name: value for name, value in facts.items() if value}
    return {"title": component.name, "relationship": "inputTo", "metadata": stated}
