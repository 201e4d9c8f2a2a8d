"""Where a set comes from, for its card: what the synthesizer was given, a limit, and of what set
it is a part."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from pipeline.synthesis.any import AnySynthesizer
from pipeline.synthesis.base import ConditionedOn, Synthesizer

_SYNTHESIZER: TypeAdapter[Synthesizer] = TypeAdapter(AnySynthesizer)
_HEARD: dict[ConditionedOn, str] = {
    "source": "heard the line's own recording, where there is one",
    "speaker_emotion": "heard the line's own recording and others of the same speaker and emotion, "
    "where there are any",
}


@dataclass(frozen=True)
class Limit:
    """A dry run's limit as it was given, and the utterances that the corpus had within it."""

    given: int
    read: str


@dataclass(frozen=True)
class Origin:
    """What a resolved recipe and `build.json` say of where a set comes from."""

    given: str
    """What the synthesizer had of a line's emotion beside its words, "" if nothing."""
    hears: bool
    """Whether recordings were among it."""
    shaped: bool
    """Whether prosody was asked for."""
    own_table: bool
    """Whether the translations are its owner's."""
    own_list: bool
    """Whether the utterances are its owner's."""
    limit: Limit | None
    part: Mapping[str, Any] | None
    """What it is a part of."""
    pull_again: str | None
    """The command that downloads the same part."""
    chosen: str
    """By what the part was chosen."""


def origin(recipe: Mapping[str, Any], build: Mapping[str, Any]) -> Origin:
    """Where a set comes from, by its resolved recipe and its `build.json`."""
    synthesizer = _SYNTHESIZER.validate_python(recipe["synthesis"])
    translation, corpus = recipe["translation"], recipe["corpus"]
    part = build.get("part")
    return Origin(
        given=_given(synthesizer),
        hears=synthesizer.conditioned_on != "none",
        shaped=recipe["prosody"]["from"] != "none",
        own_table=translation["engine"] == "memory"
        and not translation["path"].startswith("builtin:"),
        own_list=any(one["engine"] == "manifest" for one in corpus.get("parts", [corpus])),
        limit=_limit(build),
        part=part,
        pull_again=_pull_again(part) if part else None,
        chosen=_chosen(part) if part else "",
    )


def _given(synthesizer: Synthesizer) -> str:
    told = "was told the line's emotion" if synthesizer.told_emotion else ""
    heard = _HEARD.get(synthesizer.conditioned_on, "")
    return " and ".join(said for said in (told, heard) if said)


def _limit(build: Mapping[str, Any]) -> Limit | None:
    given, read = build.get("limit"), build["read"]["utterances"]
    if given is None:
        return None
    return Limit(given, "utterance" if read == 1 else f"{read} utterances")


def _chosen(part: Mapping[str, Any]) -> str:
    """By what a part was chosen: `languages de, zh; hours 2`."""
    asked = {name: ", ".join(part.get(name) or ()) for name in ("languages", "emotions", "splits")}
    asked["hours"] = str(part.get("hours") or "")
    return "; ".join(f"{name} {value}" for name, value in asked.items() if value)


def _pull_again(part: Mapping[str, Any]) -> str:
    """The command that downloads the same part; `pull` names its options as `build.json` does."""
    lists = {name: ",".join(part.get(name) or ()) for name in ("languages", "emotions", "splits")}
    asked = {"revision": part["revision"], **lists, "hours": part.get("hours")}
    options = [word for name, value in asked.items() if value for word in (f"--{name}", str(value))]
    return shlex.join(["m5ser", "pull", part["repository"], *options])
