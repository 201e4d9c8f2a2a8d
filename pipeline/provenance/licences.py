"""The licences that are known here, and what each allows.

A reading of each text for one purpose, sharing a dataset, and no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NOT_SHAREABLE = "LicenseRef-no-redistribution"
_OWN = "LicenseRef-"
"""How SPDX begins the name of a licence that is none of its list."""
_TOGETHER = " AND "
"""What SPDX (2.3, annex D.4) writes between licences that hold together."""


@dataclass(frozen=True)
class Terms:
    """What a licence allows: `same` asks for the same licence on what is derived from it.

    `hub_id`: its name on the Hub, or `other`; `link`: where its text is, if SPDX hasn't it.
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

    @property
    def text_at(self) -> str:
        """Where its text is."""
        return self.link or f"https://spdx.org/licenses/{self.spdx}.html"

    @property
    def is_own(self) -> bool:
        """Whether it has conditions of its own, which no other licence asks for."""
        return bool(self.also) or self.spdx.startswith(_OWN)

    def covers(self, other: Terms) -> bool:
        """Whether keeping these terms keeps the other ones too.

        The conditions of a maker's own licence were compared with no other's, so that it covers
        those alone that ask for no more than credit. An `-only` licence covers its `-or-later`
        form, of which that version may be chosen.
        """
        if other.spdx in (self.spdx, self.spdx.replace("-only", "-or-later")):
            return True
        laxer = LICENCES.index(self) < LICENCES.index(other)
        freer = (self.sell and not other.sell) or (self.derive and not other.derive)
        if other.is_own or other.same or laxer or freer:
            return False
        return not self.is_own or (other.sell and other.derive)


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
        link="https://www.llama.com/llama3/license/",
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


def together(licences: Iterable[Terms]) -> str:
    """The SPDX expression for licences that all hold."""
    return _TOGETHER.join(terms.spdx for terms in licences)


def parts_of(licence: str) -> tuple[str, ...]:
    """The SPDX ids of such an expression; of a single id itself."""
    return tuple(part.strip() for part in licence.split(_TOGETHER))


def texts_of(licence: str) -> list[tuple[str, str]]:
    """Of an expression with several known ids: each, and where its text is."""
    known = [terms for part in parts_of(licence) if (terms := terms_of(part))]
    return [(terms.spdx, terms.text_at) for terms in known] if len(known) > 1 else []


def known_ids() -> str:
    """The SPDX ids that are known here, for error messages."""
    return ", ".join(terms.spdx for terms in LICENCES)


def hub_licence(spdx: str) -> dict[str, str]:
    """A licence in the fields of the Hub's metadata.

    Of licences that hold together it has their names alone: it has room for a single link.
    """
    terms = terms_of(spdx)
    if terms is not None and terms.hub_id != "other":
        return {"license": terms.hub_id}
    names = [part.removeprefix(_OWN).casefold() for part in parts_of(spdx)]
    named = {"license": "other", "license_name": "-and-".join(names)}
    return {**named, "license_link": terms.link} if terms is not None else named
