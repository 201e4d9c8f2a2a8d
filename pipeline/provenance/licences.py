"""The licences that are known here, and what each allows.

A reading of each text for one purpose, sharing a dataset, and no legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_SHAREABLE = "LicenseRef-no-redistribution"


@dataclass(frozen=True)
class Terms:
    """What a licence allows: `same` asks for the same licence on what is derived from it.

    `hub_id`: its name on the Hub, or `other`; then `link` is where its text is.
    """

    spdx: str
    hub_id: str
    credit: bool = True
    sell: bool = True
    derive: bool = True
    same: bool = False
    link: str = ""
    also: str = ""
    """A condition of its own, in words."""

    def conditions(self) -> str:
        """The terms in words."""
        words = [
            "credit is due" if self.credit else "no conditions",
            "" if self.sell else "no commercial use",
            "" if self.derive else "no derived works",
            "derived works under the same licence" if self.same else "",
            self.also,
        ]
        return ", ".join(word for word in words if word)


LICENCES: tuple[Terms, ...] = (
    Terms("CC0-1.0", "cc0-1.0", credit=False),
    Terms("PDDL-1.0", "pddl", credit=False),
    Terms("MIT", "mit"),
    Terms("BSD-3-Clause", "bsd-3-clause"),
    Terms("Apache-2.0", "apache-2.0"),
    Terms("MPL-2.0", "mpl-2.0"),
    Terms("ODC-By-1.0", "odc-by"),
    Terms("CC-BY-3.0", "cc-by-3.0"),
    Terms("CC-BY-4.0", "cc-by-4.0"),
    Terms("ODbL-1.0", "odbl", same=True),
    Terms("CC-BY-SA-3.0", "cc-by-sa-3.0", same=True),
    Terms("CC-BY-SA-4.0", "cc-by-sa-4.0", same=True),
    Terms("GPL-3.0-or-later", "gpl-3.0", same=True),
    Terms("GPL-3.0-only", "gpl-3.0", same=True),
    Terms(
        "LicenseRef-Llama-3-Community", "llama3",
        also='say "Built with Meta Llama 3", and improve no other language model with it',
    ),
    Terms(
        "LicenseRef-CPML-1.0", "other", sell=False,
        link="https://huggingface.co/coqui/XTTS-v2/blob/main/LICENSE.txt",
    ),
    Terms("CC-BY-NC-4.0", "cc-by-nc-4.0", sell=False),
    Terms("CC-BY-NC-SA-4.0", "cc-by-nc-sa-4.0", sell=False, same=True),
    Terms(
        "LicenseRef-Seamless", "other", sell=False, also="for research only",
        link="https://github.com/facebookresearch/seamless_communication/blob/main/SEAMLESS_LICENSE",
    ),
    Terms("CC-BY-ND-4.0", "cc-by-nd-4.0", derive=False),
    Terms("CC-BY-NC-ND-4.0", "cc-by-nc-nd-4.0", sell=False, derive=False),
)  # fmt: skip
"""Known licences from lax to strict, with their names on the Hub
(https://huggingface.co/docs/hub/repositories-licenses)."""


def terms_of(licence: str) -> Terms | None:
    """The terms of an SPDX id (in any case), or None where they are not known."""
    known = {terms.spdx.casefold(): terms for terms in LICENCES}
    return known.get(licence.strip().casefold())


def known_ids() -> str:
    """The SPDX ids that are known here, for error messages."""
    return ", ".join(terms.spdx for terms in LICENCES)


def hub_licence(spdx: str) -> dict[str, str]:
    """A licence in the fields of the Hub's metadata."""
    terms = terms_of(spdx)
    if terms is not None and terms.hub_id != "other":
        return {"license": terms.hub_id}
    named = {"license": "other", "license_name": spdx.removeprefix("LicenseRef-").casefold()}
    return {**named, "license_link": terms.link} if terms is not None else named
