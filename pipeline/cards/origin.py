"""Where a set comes from, for its card: what the synthesizer was given, a limit, and of what set
it is a part."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
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


def origin(recipe: Mapping[str, Any], build: Mapping[str, Any]) -> dict[str, Any]:
    """What the card prints of a resolved recipe and of `build.json`.

    `given`: what the synthesizer had of a line's emotion beside its words, "" if nothing; `hears`:
    whether recordings were among it. `limit` of a dry run, and `part`, are None elsewhere.
    """
    synthesizer = _SYNTHESIZER.validate_python(recipe["synthesis"])
    part = build.get("part")
    return {
        "given": _given(synthesizer),
        "hears": synthesizer.conditioned_on != "none",
        "limit": _limit(build),
        "part": part,
        "pull_again": _pull_again(part) if part else None,
        "chosen": _chosen(part) if part else "",
    }


def _given(synthesizer: Synthesizer) -> str:
    told = "was told the line's emotion" if synthesizer.told_emotion else ""
    heard = _HEARD.get(synthesizer.conditioned_on, "")
    return " and ".join(said for said in (told, heard) if said)


def _limit(build: Mapping[str, Any]) -> dict[str, Any] | None:
    """The limit that was given, and how many utterances the corpus had within it."""
    given, read = build.get("limit"), build["read"]["utterances"]
    if given is None:
        return None
    return {"given": given, "read": "utterance" if read == 1 else f"{read} utterances"}


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
