"""What a dataset is made of, on which terms, and the licence that follows for the whole.

Licences were looked up at the addresses given. What is said here of a licence is a reading of its
text for one purpose, sharing synthetic speech, and no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

from pipeline.errors import InputError
from pipeline.licences import LICENCES, known_ids, terms_of

Kind = Literal["corpus", "translator", "synthesizer", "voice", "judge", "model"]


@dataclass(frozen=True)
class Component:
    """A part that others (or we) made, and what its terms allow with what is made with it.

    `licence` is an SPDX id; None where each row or file names its own. `covers_output`: its licence
    extends to the rows of the dataset. `share`, `sell`, `derive`: what may be done with those rows.
    `package`: the Python package whose version is the component's. `note` and `citation` are
    printed on the card.
    """

    name: str
    kind: Kind
    licence: str | None
    address: str
    covers_output: bool
    share: bool = True
    sell: bool = True
    derive: bool = True
    revision: str = ""
    package: str | None = None
    note: str = ""
    citation: str = ""


NOT_SHAREABLE = "LicenseRef-no-redistribution"

_M5SER = Component(
    "m5ser", "judge", "Apache-2.0", "", covers_output=False,
    note="duration, clipping, prosody and probe are measured by its own code",
)  # fmt: skip
_WORLD = Component(
    "world", "synthesizer", "MIT",
    "https://github.com/JeremyCCHsu/Python-Wrapper-for-World-Vocoder", covers_output=False,
    package="pyworld", note="the vocoder that puts the wanted prosody on takes",
    citation=(
        "Morise, Yokomori, Ozawa 2016. WORLD: a vocoder-based high-quality speech synthesis system "
        "for real-time applications. IEICE Transactions E99-D(7)."
    ),
)  # fmt: skip

LEDGER: Mapping[tuple[str, str], Component] = {
    ("corpus", "quickstart"): Component(
        "quickstart", "corpus", "Apache-2.0", "", covers_output=True,
        note="sentences written for m5ser; nobody's recordings",
    ),
    ("corpus", "ravdess"): Component(
        "ravdess", "corpus", "CC-BY-NC-SA-4.0", "https://zenodo.org/records/1188976",
        covers_output=True, sell=False, revision="Zenodo record 1188976",
        note="recordings of 24 professional actors; a commercial licence is sold by its authors",
        citation=(
            "Livingstone, Russo 2018. The Ryerson Audio-Visual Database of Emotional Speech and "
            "Song (RAVDESS). PLoS ONE 13(5): e0196391."
        ),
    ),
    ("corpus", "meld"): Component(
        "meld", "corpus", "GPL-3.0-only", "https://github.com/declare-lab/MELD",
        covers_output=True, share=False, sell=False, derive=False,
        note=(
            "the repository is GPL-3.0, but the dialogue is of a television series and belongs to "
            "its owners: neither the text nor speech made of it may be redistributed"
        ),
        citation=(
            "Poria, Hazarika, Majumder, Naik, Cambria, Mihalcea 2019. MELD: A Multimodal "
            "Multi-Party Dataset for Emotion Recognition in Conversations. ACL."
        ),
    ),
    ("corpus", "manifest"): Component(
        "manifest", "corpus", None, "", covers_output=True,
        note="the builder's own list of texts and recordings; each row names its licence",
    ),
    ("translator", "memory"): Component(
        "memory", "translator", None, "", covers_output=True,
        note=(
            "translations written by people; the built-in ones are Apache-2.0, for another table "
            "its owner answers"
        ),
    ),
    ("synthesizer", "espeak"): Component(
        "espeak", "synthesizer", "GPL-3.0-or-later", "https://github.com/espeak-ng/espeak-ng",
        covers_output=False, revision="1.52", package="espeakng-loader",
        note="a GPL program's output is not covered (GNU GPL FAQ, #WhatCaseIsOutputGPL)",
        citation="Dunn et al. eSpeak NG, a formant speech synthesizer. Software.",
    ),
    ("judge", "speech"): Component(
        "silero-vad", "judge", "MIT", "https://github.com/snakers4/silero-vad",
        covers_output=False, package="silero-vad", revision="weights of the package",
        citation=(
            "Silero Team 2024. Silero VAD: pre-trained enterprise-grade voice activity detector. "
            "Software."
        ),
    ),
    ("judge", "quality"): Component(
        "dnsmos", "judge", "MIT", "https://github.com/microsoft/DNS-Challenge",
        covers_output=False, package="speechmos", revision="weights of the package",
        citation=(
            "Reddy, Gopal, Cutler 2022. DNSMOS P.835: a non-intrusive perceptual objective speech "
            "quality metric to evaluate noise suppressors. ICASSP."
        ),
    ),
    ("judge", "speaker"): Component(
        "resemblyzer", "judge", "Apache-2.0", "https://github.com/resemble-ai/Resemblyzer",
        covers_output=False, package="resemblyzer", revision="weights of the package",
        citation=(
            "Wan, Wang, Papir, Lopez Moreno 2018. Generalized end-to-end loss for speaker "
            "verification. ICASSP."
        ),
    ),
    ("judge", "language"): Component(
        "lingua", "judge", "Apache-2.0", "https://github.com/pemistahl/lingua-py",
        covers_output=False, package="lingua-language-detector",
        revision="models of the package",
        citation="Stahl. Lingua, a natural language detector. Software.",
    ),
    ("judge", "whisper"): Component(
        "whisper", "judge", "MIT", "https://github.com/openai/whisper",
        covers_output=False, package="openai-whisper", note="code and weights are MIT",
        citation=(
            "Radford, Kim, Xu, Brockman, McLeavey, Sutskever 2023. Robust speech recognition via "
            "large-scale weak supervision. ICML."
        ),
    ),
    ("judge", "duration"): _M5SER,
    ("judge", "clipping"): _M5SER,
    ("judge", "prosody"): _M5SER,
    ("judge", "probe"): _M5SER,
}  # fmt: skip
"""Every engine that a recipe can name, by family and name; a new engine is one entry here."""


@dataclass(frozen=True)
class Licence:
    """The licence of a whole dataset, and what decided it, the strictest first."""

    spdx: str
    reasons: tuple[str, ...]
    may_share: bool


class LicenceError(InputError):
    """A licence that can't be claimed for the dataset."""


def components_of(recipe: Mapping[str, Any]) -> tuple[Component, ...]:
    """Every component that a resolved recipe uses, in the order of the work, each once.

    Raises:
        KeyError: an engine has no entry in the ledger.
    """
    engines = [
        ("corpus", recipe["corpus"]["engine"]),
        ("translator", recipe["translation"]["engine"]),
        ("synthesizer", recipe["synthesis"]["engine"]),
        *(("judge", judge["engine"]) for judge in recipe["judges"]),
    ]
    missing = [f"{family} '{name}'" for family, name in engines if (family, name) not in LEDGER]
    if missing:
        raise KeyError(f"no entry in provenance.LEDGER for {', '.join(missing)}: add one each")
    found = [LEDGER[engine] for engine in engines]
    if recipe["prosody"]["from"] != "none":
        found.insert(3, _WORLD)
    return tuple(dict.fromkeys(found))


def installed_versions(components: Iterable[Component]) -> dict[str, str]:
    """Name and version of every component as installed here, for the record that a build leaves."""
    return {
        component.name: version(component.package) if component.package else component.revision
        for component in components
    }


def resulting_licence(components: Iterable[Component], row_licences: Iterable[str]) -> Licence:
    """The licence that covers the whole: the strictest of all that reach its rows.

    A component or row whose terms forbid sharing, or are not known, makes the whole unshareable;
    so do two licences that each ask to be the only one.
    """
    blocks: list[str] = []
    named: dict[str, list[str]] = {}
    for component in components:
        if component.covers_output and not (component.share and component.derive):
            blocks.append(f"{component.name}: {component.note}")
        elif component.covers_output and component.licence:
            named.setdefault(component.licence, []).append(f"the {component.kind} {component.name}")
    for licence in sorted(set(row_licences)):
        named.setdefault(licence, []).append("rows that name it")
    blocks += [
        f"'{licence}' ({', '.join(sources)}): its terms are not known, so nothing may be shared"
        for licence, sources in named.items()
        if terms_of(licence) is None
    ]
    return _strictest(named, blocks)


def _strictest(named: Mapping[str, list[str]], blocks: list[str]) -> Licence:
    """The last of the known licences in the order of `LICENCES`, unless something blocks it."""
    sources = {
        terms: where for licence, where in named.items() if (terms := terms_of(licence)) is not None
    }
    ordered = sorted(sources, key=LICENCES.index, reverse=True)
    if not ordered and not blocks:
        blocks = ["no row names a licence"]
    for terms in ordered:
        if not terms.derive:
            blocks.append(f"{terms.spdx}: it allows no derived works, which takes are")
        if terms.same and terms != ordered[0]:
            blocks.append(f"{terms.spdx} and {ordered[0].spdx} can't both be kept: build two sets")
    reasons = tuple(
        f"{terms.spdx} ({', '.join(sources[terms])}): {terms.conditions()}" for terms in ordered
    )
    if blocks:
        return Licence(NOT_SHAREABLE, (*blocks, *reasons), may_share=False)
    return Licence(ordered[0].spdx, reasons, may_share=True)


def check_claim(claimed: str | None, computed: Licence) -> None:
    """Hold the licence that a recipe claims against the computed one; None claims nothing.

    Raises:
        LicenceError: the claim is not known, or laxer than what the components allow.
    """
    if claimed is None or claimed == computed.spdx:
        return
    because = "; ".join(computed.reasons)
    if not computed.may_share:
        raise LicenceError(
            f"licence: '{claimed}' is claimed, but the set may not be shared: {because}. "
            "Leave the field out."
        )
    claim, allowed = terms_of(claimed), terms_of(computed.spdx)
    if claim is None or allowed is None:
        raise LicenceError(f"licence: '{claimed}' is no SPDX id that is known here: {known_ids()}")
    laxer = LICENCES.index(claim) < LICENCES.index(allowed)
    freer = (claim.sell and not allowed.sell) or (claim.derive and not allowed.derive)
    if laxer or freer or (allowed.same and claim != allowed):
        raise LicenceError(
            f"licence: '{claimed}' is claimed, but the components ask for {computed.spdx}: "
            f"{because}. Leave the field out or claim {computed.spdx}."
        )
