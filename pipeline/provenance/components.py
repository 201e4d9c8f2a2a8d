"""The parts that others (or we) made: read from the ledger, and found for a recipe.

What the ledger says of a licence is a reading of its text for one purpose, sharing synthetic
speech, and no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml

from pipeline.engine import Settings, release
from pipeline.errors import InputError
from pipeline.provenance.licences import terms_of

Kind = Literal[
    "corpus", "texts", "translator", "text judge", "synthesizer", "voice", "tool", "judge", "model"
]
SourceType = Literal["algorithmicMedia", "trainedAlgorithmicMedia"]
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC's vocabulary of where media come from; C2PA and the Hub's readers know it."""

_FILES: dict[Kind, str] = {
    "corpus": "corpora",
    "translator": "translators",
    "text judge": "text_judges",
    "synthesizer": "synthesizers",
    "voice": "voices",
    "tool": "tools",
    "judge": "judges",
    "model": "models",
}


class Component(Settings):
    """An entry of the ledger: what it is, and what its terms allow with what is made with it."""

    name: str
    kind: Kind
    licence: str | None
    """SPDX id, or `LicenseRef-...`; none: whoever uses it says it, see `licences` in a recipe."""
    read_in: str = ""
    """Where the licence was read; empty: not verified, and then it gives no right to share."""
    address: str = ""
    revision: str = ""
    covers_output: bool
    """Whether the licence extends to the rows of the dataset."""
    share: bool = True
    sell: bool = True
    derive: bool = True
    """What may be done with those rows."""
    redistribute: tuple[Literal["text", "audio"], ...] = ()
    """Of a corpus: what of it may be passed on as it is."""
    consent: str = ""
    """Of the speakers, as far as it is known."""
    source_type: SourceType | None = None
    """Of a synthesizer: the IPTC digital source type of what it makes."""
    setting: str | None = None
    """Field of the recipe that names the model in use, or the table."""
    setting_names: Literal["model", "texts"] = "model"
    """Which of the two it names."""
    package: str | None = None
    """Python package whose version is the component's."""
    note: str = ""
    citation: str = ""


class Ledger(dict[tuple[Kind, str], Component]):
    """Entries by kind and key: an engine's name, or a pattern over a model's."""

    def __missing__(self, key: tuple[Kind, str]) -> Component:
        """Say where the entry belongs.

        Raises:
            InputError: always.
        """
        raise InputError(_lacking(*key))


def _lacking(kind: Kind, name: str) -> str:
    place = f"pipeline/provenance/ledger/{_FILES[kind]}.yaml"
    return f"{place} has no entry '{name}': every {kind} needs one, under the name of its engine"


@cache
def ledger() -> Ledger:
    """Every entry; to ask for one that is not there is an InputError.

    Raises:
        ValidationError: an entry has an unknown or a missing field.
    """
    entries = Ledger()
    for kind, name in _FILES.items():
        text = (
            files("pipeline.provenance.ledger").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
        )
        for key, fields in yaml.safe_load(text).items():
            named = {"name": key, "kind": kind, **fields}
            entries[kind, str(key)] = Component.model_validate(named)
    return entries


def components_of(recipe: Mapping[str, Any]) -> tuple[Component, ...]:
    """Every component that a resolved recipe uses, in the order of the work, each once.

    Raises:
        InputError: engines have no entry in the ledger; it names all of them.
    """
    engines = list(_engines(recipe))
    keys = [(kind, settings["engine"]) for kind, settings in engines]
    missing = [_lacking(*key) for key in keys if key not in ledger()]
    if missing:
        raise InputError("\n".join(missing))
    stated = recipe.get("licences", {})
    found = [one for kind, settings in engines for one in _used(kind, settings, stated)]
    return tuple(dict.fromkeys(found))


def unused_licences(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """Names in a resolved recipe's `licences` that say nothing of any of its components."""
    unsaid = components_of({**recipe, "licences": {}})
    stated = recipe["licences"].items()
    return tuple(
        name
        for name, spdx in stated
        if components_of({**recipe, "licences": {name: spdx}}) == unsaid
    )


def _engines(recipe: Mapping[str, Any]) -> Iterator[tuple[Kind, Mapping[str, Any]]]:
    for part in recipe["corpus"].get("parts", [recipe["corpus"]]):
        yield "corpus", part
    yield "translator", recipe["translation"]
    if recipe.get("corrections"):
        yield "translator", {"engine": "memory", "path": recipe["corrections"]}
    for judge in recipe.get("text_judges", []):
        yield "text judge", judge
    yield "synthesizer", recipe["synthesis"]
    yield "voice", recipe["synthesis"]
    for name in _tools(recipe):
        yield "tool", {"engine": name}
    for judge in recipe["judges"]:
        yield "judge", judge


def _tools(recipe: Mapping[str, Any]) -> Iterator[str]:
    if recipe["prosody"]["from"] != "none":
        yield "world"
    if watermark := recipe.get("watermark"):
        yield watermark["engine"]


def _used(
    kind: Kind, settings: Mapping[str, Any], stated: Mapping[str, str]
) -> Iterator[Component]:
    """An engine, and the models that its settings name."""
    engine = ledger()[kind, settings["engine"]]
    if engine.licence is None and kind in ("translator", "synthesizer"):
        engine = engine.model_copy(update=_stated(stated.get(settings["engine"])))
    yield engine
    for name, revision in _weights(settings, engine.setting):
        model = _model(name, engine.setting_names, stated)
        covers = model.covers_output and kind not in ("judge", "text judge")
        yield model.model_copy(update={"revision": revision, "covers_output": covers})
    if kind == "text judge" and "translator" in settings:
        for one in _used("translator", settings["translator"], stated):
            yield one.model_copy(update={"covers_output": False})


def _weights(settings: Mapping[str, Any], setting: str | None) -> Iterator[tuple[str, str]]:
    """Name and revision of every model that an engine uses."""
    for part in (settings, settings.get("borderline") or {}):
        revision = str(part.get("revision") or (part.get("sha256") or "")[:12])
        for name in _names(part.get(setting or "")):
            yield name, revision
    if comparator := settings.get("comparator"):
        yield comparator, (settings.get("comparator_sha256") or "")[:12]


def _names(value: object) -> list[str]:
    """The models that a setting names: one, or one for each language."""
    if isinstance(value, Mapping):
        return [str(one) for one in value.values()]
    return [] if value is None else [str(value)]


def _model(name: str, kind: Literal["model", "texts"], stated: Mapping[str, str]) -> Component:
    """A model's or table's entry; of one that the ledger doesn't know, what the recipe says of it.

    A licence that nobody has read is taken to reach what the model makes.
    """
    said = {"covers_output": True, **_stated(stated.get(name) or stated.get(Path(name).name))}
    for (file, pattern), entry in ledger().items():
        # A table may be called as a model is: small.tsv is none of Whisper's weights.
        if file == "model" and entry.kind == kind and fnmatchcase(name, pattern):
            known = entry.model_copy(update={"name": name}) if entry.name == pattern else entry
            return known if known.read_in else known.model_copy(update=said)
    return Component(name=name, kind=kind, licence=None, covers_output=True).model_copy(update=said)


def _stated(licence: str | None) -> dict[str, Any]:
    """What is known of a component whose licence the recipe's field `licences` states."""
    read_in = "the recipe, by whoever built the set"
    return {"licence": licence, "read_in": read_in} if licence else {}


def installed_versions(components: Iterable[Component]) -> dict[str, str]:
    """Name and version of every component, for the record that a build leaves.

    Of a package that is not installed here, because the work runs elsewhere, the ledger's revision.
    """
    return {one.name: (one.package and release(one.package)) or one.revision for one in components}


def may_pass_on_text(corpus: str, licence: str) -> bool:
    """Whether a row's sentence, and its translation, may stand in a set.

    Not if its corpus forbids it, and not if the terms of the row's licence aren't known.

    Raises:
        InputError: the corpus has no entry in the ledger.
    """
    return "text" in ledger()["corpus", corpus].redistribute and terms_of(licence) is not None
