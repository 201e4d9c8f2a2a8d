"""The licence of a finished set."""

from __future__ import annotations

from pipeline.dataset.reading import DatasetFolder
from pipeline.provenance.components import components_of
from pipeline.provenance.terms import Licence, check_claim, resulting_licence


def licence_of(dataset: DatasetFolder) -> Licence:
    """The licence of a finished dataset, computed from its recipe and the licences of its rows.

    Raises:
        LicenceError: the recipe claims a laxer one.
        InputError: an engine of the recipe has no entry in the ledger.
    """
    rows = dataset.rows(
        "SELECT licence FROM takes UNION SELECT licence FROM rejected_lines "
        "WHERE licence IS NOT NULL ORDER BY licence"
    )
    licence = resulting_licence(components_of(dataset.recipe), [row["licence"] for row in rows])
    check_claim(dataset.recipe["licence"], licence)
    return licence
