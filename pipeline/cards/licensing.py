"""What a set is made of, and on which terms that leaves it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.dataset.licence import licence_of
from pipeline.dataset.reading import DatasetFolder
from pipeline.provenance.components import Component, components_of
from pipeline.provenance.licences import texts_of
from pipeline.provenance.terms import Licence


@dataclass(frozen=True)
class Licensing:
    """The components of a set, and the licence that follows."""

    components: list[tuple[Component, str]]
    """Each with its version."""
    corpora: list[Component]
    consents: list[Component]
    """Those of whose speakers' consent something is known."""
    licence: Licence
    spdx: str
    """As the recipe claims it, or as it follows."""
    texts: list[tuple[str, str]]
    """Name and address of each licence's text, where there are several."""


def licensing(dataset: DatasetFolder) -> Licensing:
    """The terms of a set.

    Raises:
        LicenceError: the recipe claims a laxer licence than its components and rows allow.
        InputError: an engine of the recipe has no entry in the ledger.
    """
    components, licence = components_of(dataset.recipe), licence_of(dataset)
    spdx = dataset.recipe["licence"] or licence.spdx
    return Licensing(
        components=_versioned(components, dataset.build.get("components", {})),
        corpora=[one for one in components if one.kind == "corpus"],
        consents=[one for one in components if one.consent],
        licence=licence,
        spdx=spdx,
        texts=texts_of(spdx),
    )


def _versioned(
    components: tuple[Component, ...], installed: dict[str, str]
) -> list[tuple[Component, str]]:
    """Each component with its revision and the version of the package that the build recorded."""
    versions = []
    for one in components:
        package = f"{one.package} {installed.get(one.name, '')}".strip() if one.package else ""
        versions.append((one, ", ".join(part for part in (package, one.revision) if part) or "–"))
    return versions
