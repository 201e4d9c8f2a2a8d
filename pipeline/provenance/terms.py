"""On which terms a dataset stands: the licence that follows for the whole, with its reasons.

The ledger of components is `pipeline/provenance/ledger`; no legal advice is given here or there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations

from pipeline.errors import InputError
from pipeline.provenance.components import Component
from pipeline.provenance.licences import (
    LICENCES,
    NOT_SHAREABLE,
    Terms,
    known_ids,
    parts_of,
    terms_of,
    together,
)


@dataclass(frozen=True)
class Licence:
    """The licence of a whole dataset, and what decided it, the strictest first.

    `spdx`: an id, or several with AND between them where all of them must be kept.
    """

    spdx: str
    reasons: tuple[str, ...]
    may_share: bool


class LicenceError(InputError):
    """A licence that can't be claimed for the dataset."""


def resulting_licence(components: Iterable[Component], row_licences: Iterable[str]) -> Licence:
    """The licence that covers the whole: the strictest of all that reach its rows.

    Where none asks for all that the others do, as with terms of a maker's own, all of them hold.
    A component or row whose terms forbid sharing, or are not known, makes the whole unshareable;
    so does a licence that nobody has read where it is published, since it may ask for more than
    is told of it; and so do two licences that each ask to be the only one.
    """
    covering = [one for one in components if one.covers_output]
    forbidding = [one for one in covering if not (one.share and one.derive)]
    unknown = [one for one in covering if one.licence is None and one.kind != "corpus"]
    usable = [one for one in covering if one.licence and one not in forbidding]
    blocks = [f"{one.name}: {one.note}" for one in forbidding]
    blocks += [
        f"{one.name}: its licence is not known; if you know it, say so in the recipe's field "
        f"'licences', as {{{one.name}: SPDX id}}"
        for one in unknown
    ]
    blocks += [
        f"{one.name}: its licence is said to be {one.licence}, which was not verified; read it at "
        f"{one.address}, and say what it is in the recipe's field 'licences', as "
        f"{{{one.name}: SPDX id}}"
        for one in usable
        if not one.read_in
    ]
    named: dict[str, list[str]] = {}
    for one in usable:
        named.setdefault(str(one.licence), []).append(f"the {one.kind} {one.name}")
    of_rows = sorted(set(row_licences))
    if not of_rows and any(one.kind == "corpus" and one.licence is None for one in covering):
        blocks.append("no row names a licence")
    for licence in of_rows:
        named.setdefault(licence, []).append("rows that name it")
    blocks += [
        f"'{licence}' ({', '.join(sources)}): its terms are not known{_guess(licence)}, so nothing "
        "may be shared"
        for licence, sources in named.items()
        if terms_of(licence) is None
    ]
    return _strictest(named, blocks)


def _guess(licence: str) -> str:
    """The SPDX id that was meant by a name that is none."""
    ids = {one.spdx.lower(): one.spdx for one in LICENCES}
    close = get_close_matches("-".join(licence.lower().split()), ids, n=1, cutoff=0.9)
    return f" (did you mean '{ids[close[0]]}'?)" if close else ""


def _strictest(named: Mapping[str, list[str]], blocks: list[str]) -> Licence:
    """Of the known licences those that no other one covers, unless something blocks them."""
    sources: dict[Terms, list[str]] = {}
    for licence, where in named.items():
        terms = terms_of(licence)
        if terms is not None:
            sources.setdefault(terms, []).extend(where)
    ordered = sorted(sources, key=LICENCES.index, reverse=True)
    if not ordered and not blocks:
        blocks = ["nothing of it names a licence"]
    kept = _uncovered(ordered)
    blocks += [*_underivable(ordered), *(f"{one}: build two sets" for one in _clashes(kept))]
    reasons = tuple(
        f"{terms.spdx} ({', '.join(sources[terms])}): {terms.conditions()}" for terms in ordered
    )
    if blocks:
        return Licence(NOT_SHAREABLE, (*blocks, *reasons), may_share=False)
    return Licence(together(kept), reasons, may_share=True)


def _uncovered(several: Sequence[Terms]) -> list[Terms]:
    """Those of several that none of the others covers."""
    return [one for one in several if not any(o != one and o.covers(one) for o in several)]


def _underivable(several: Iterable[Terms]) -> list[str]:
    return [
        f"{one.spdx}: it allows no derived works, which takes are"
        for one in several
        if not one.derive
    ]


def _clashes(several: Sequence[Terms]) -> list[str]:
    """Which of several licences, the strictest first, exclude each other."""
    return [
        f"{laxer.spdx} and {stricter.spdx} can't both be kept"
        for laxer, stricter in combinations(reversed(several), 2)
        if laxer.same or stricter.same
    ]


def check_claim(claimed: str | None, computed: Licence) -> None:
    """Hold the licence that a recipe claims against the computed one; None claims nothing.

    Raises:
        LicenceError: the claim is not known, is laxer than what the components allow, lacks a
            condition of theirs, contradicts itself, or allows no derived works.
    """
    if claimed is None or claimed == computed.spdx:
        return
    because = "; ".join(computed.reasons)
    if not computed.may_share:
        raise LicenceError(
            f"licence: '{claimed}' is claimed, but the set may not be shared: {because}. "
            "Leave the field out."
        )
    claims = _known(claimed)
    if any(not any(one.covers(asked) for one in claims) for asked in _known(computed.spdx)):
        raise LicenceError(
            f"licence: '{claimed}' is claimed, but the components ask for {computed.spdx}: "
            f"{because}. Leave the field out or claim {computed.spdx}."
        )
    strictest_first = sorted(set(claims), key=LICENCES.index, reverse=True)
    if wrong := [*_underivable(claims), *_clashes(_uncovered(strictest_first))]:
        raise LicenceError(
            f"licence: '{claimed}' is claimed: {'; '.join(wrong)}. "
            f"Leave the field out or claim {computed.spdx}."
        )


def _known(licence: str) -> list[Terms]:
    """The terms of an id, or of each of several with AND between them."""
    found = []
    for part in parts_of(licence):
        terms = terms_of(part)
        if terms is None:
            raise LicenceError(f"licence: '{part}' is no SPDX id that is known here: {known_ids()}")
        found.append(terms)
    return found
